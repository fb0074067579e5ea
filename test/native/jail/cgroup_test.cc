// SPDX-License-Identifier: Apache-2.0
#include "jail/cgroup.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

namespace hrun::jail {
namespace {

std::string read_all(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Sleeper {
    Sleeper() : pid(fork()) {
        if (pid == 0)
            for (;;)
                pause();
    }
    ~Sleeper() {
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
    }
    std::string cgroup() const { return read_all("/proc/" + std::to_string(pid) + "/cgroup"); }
    pid_t pid;
};

bool host_has_cgroups() {
    auto group = Cgroup::create("probe-" + std::to_string(getpid()), {});
    if (group)
        group->remove();
    return static_cast<bool>(group);
}

TEST_CASE("a process is moved into a group with its limits, and the group goes with it" *
          doctest::skip(!host_has_cgroups())) {
    const std::string name = "test-" + std::to_string(getpid());
    auto group = Cgroup::create(name, {.memory_max = 256 << 20, .pids_max = 64});
    REQUIRE(group);
    CHECK(group->missing() == "");
    {
        const Sleeper sleeper;
        REQUIRE(group->add(sleeper.pid));
        CHECK(sleeper.cgroup().find("/hrun/" + name + "\n") != std::string::npos);
    }
    group->remove();
    auto again = Cgroup::create(name, {});
    REQUIRE(again);
    again->remove();
}

// Of the hierarchy that has `file`: version 1's own, or the one of version 2.
std::string in_group(const std::string& name, const std::string& controller, const std::string& file) {
    for (const Hierarchy& hierarchy : find_hierarchies()) {
        if (!hierarchy.has(controller))
            continue;
        const std::string top = hierarchy.unified && geteuid() == 0 ? hierarchy.mount_point : hierarchy.own;
        return read_all(top + "/hrun/" + name + "/" + file);
    }
    return {};
}

bool has_version_1(const char* controller) {
    const auto all = find_hierarchies();
    return std::any_of(all.begin(), all.end(),
                       [&](const Hierarchy& one) { return !one.unified && one.has(controller); });
}

TEST_CASE(
    "a group of version 1 is told which CPUs it has, how much it may swap and how fast its devices are" *
    doctest::skip(!has_version_1("cpuset") || !has_version_1("memory") || !has_version_1("blkio"))) {
    const std::string name = "limits-" + std::to_string(getpid());
    struct stat disk;
    REQUIRE(stat("/", &disk) == 0);
    const std::string device = std::to_string(major(disk.st_dev)) + ":" + std::to_string(minor(disk.st_dev));
    const uint64_t mib = 1 << 20;
    auto group = Cgroup::create(name, {.memory_max = 256 * mib,
                                       .swap_max = 64 * mib,
                                       .cpu_max = 50000,
                                       .cpu_shares = 512,
                                       .cpus = "0",
                                       .devices = {{device, 2 * mib, 0, 0, 100}}});
    REQUIRE(group);
    CHECK(in_group(name, "cpuset", "cpuset.cpus") == "0\n");
    CHECK(in_group(name, "cpu", "cpu.cfs_quota_us") == "50000\n");
    CHECK(in_group(name, "cpu", "cpu.shares") == "512\n");
    CHECK(in_group(name, "memory", "memory.limit_in_bytes") == std::to_string(256 * mib) + "\n");
    const std::string both = in_group(name, "memory", "memory.memsw.limit_in_bytes");
    CHECK((both.empty() ? group->missing() == "swap" : both == std::to_string(320 * mib) + "\n"));
    CHECK(in_group(name, "blkio", "blkio.throttle.read_bps_device") ==
          device + " " + std::to_string(2 * mib) + "\n");
    CHECK(in_group(name, "blkio", "blkio.throttle.write_iops_device") == device + " 100\n");
    {
        const Sleeper sleeper;
        CHECK(group->add(sleeper.pid));
        CHECK(Cgroup::limit(name, sleeper.pid, {.cpu_max = 5000, .cpu_period = 20000}) == "");
        CHECK(in_group(name, "cpu", "cpu.cfs_quota_us") == "5000\n");
        CHECK(in_group(name, "cpu", "cpu.cfs_period_us") == "20000\n");
        CHECK(Cgroup::limit(name, sleeper.pid, {}) == "");
        CHECK(in_group(name, "cpu", "cpu.cfs_quota_us") == "-1\n");
        CHECK(in_group(name, "cpu", "cpu.shares") == "1024\n");
    }
    group->remove();
    CHECK(in_group(name, "cpuset", "cpuset.cpus") == "");
}

// A whole disk of this machine, "8:0"; empty where there is none.
std::string some_disk() {
    std::error_code error;
    for (const auto& disk : std::filesystem::directory_iterator("/sys/block", error)) {
        std::string device = read_all(disk.path() / "dev");
        device.erase(device.find_last_not_of('\n') + 1);
        if (!device.starts_with("7:") && !device.empty()) // a loop device is none
            return device;
    }
    return {};
}

bool has_version_2(const char* controller) {
    const auto all = find_hierarchies();
    return std::any_of(all.begin(), all.end(),
                       [&](const Hierarchy& one) { return one.unified && one.has(controller); });
}

TEST_CASE("a group of version 2 is told all its limits" *
          doctest::skip(!has_version_2("memory") || !has_version_2("io") || some_disk().empty())) {
    const std::string name = "limits-" + std::to_string(getpid());
    const std::string disk = some_disk();
    const uint64_t mib = 1 << 20;
    auto group = Cgroup::create(name, {.memory_max = 256 * mib,
                                       .swap_max = 64 * mib,
                                       .cpu_max = 50000,
                                       .cpu_shares = 512,
                                       .pids_max = 64,
                                       .cpus = "0",
                                       .devices = {{disk, 2 * mib, 0, 0, 100}}});
    REQUIRE(group);
    CHECK(group->missing() == "");
    CHECK(in_group(name, "memory", "memory.max") == std::to_string(256 * mib) + "\n");
    CHECK(in_group(name, "memory", "memory.swap.max") == std::to_string(64 * mib) + "\n");
    CHECK(in_group(name, "pids", "pids.max") == "64\n");
    CHECK(in_group(name, "cpu", "cpu.max") == "50000 100000\n");
    CHECK(in_group(name, "cpu", "cpu.weight") == "59\n");
    CHECK(in_group(name, "cpuset", "cpuset.cpus") == "0\n");
    CHECK(in_group(name, "io", "io.max") ==
          disk + " rbps=" + std::to_string(2 * mib) + " wbps=max riops=max wiops=100\n");
    {
        const Sleeper sleeper;
        REQUIRE(group->add(sleeper.pid));
        CHECK(sleeper.cgroup().find("/hrun/" + name + "\n") != std::string::npos);
        CHECK(Cgroup::limit(name, sleeper.pid, {.cpu_max = 75000}) == "");
        CHECK(in_group(name, "cpu", "cpu.max") == "75000 100000\n");
        CHECK(Cgroup::limit(name, sleeper.pid, {.cpu_max = 5000, .cpu_period = 20000}) == "");
        CHECK(in_group(name, "cpu", "cpu.max") == "5000 20000\n");
        for (const auto& [shares, weight] : {std::pair(2, "1\n"), {1024, "100\n"}, {262144, "10000\n"}}) {
            CHECK(Cgroup::limit(name, sleeper.pid, {.cpu_shares = static_cast<uint64_t>(shares)}) == "");
            CHECK(in_group(name, "cpu", "cpu.weight") == weight);
        }
        CHECK(Cgroup::limit(name, sleeper.pid, {}) == "");
        CHECK(in_group(name, "cpu", "cpu.max") == "max 100000\n");
        CHECK(in_group(name, "cpu", "cpu.weight") == "100\n");
    }
    group->remove();
    CHECK(in_group(name, "cpu", "cpu.max") == "");
}

TEST_CASE("a limit that the kernel refuses is missing, and the others are in force" *
          doctest::skip(!host_has_cgroups())) {
    auto group = Cgroup::create("refused-" + std::to_string(getpid()), {.pids_max = 64, .cpus = "4095"});
    REQUIRE(group);
    CHECK(group->missing() == "cpuset");
    group->remove();
}

TEST_CASE("a group that another took for a left one is made again" * doctest::skip(!host_has_cgroups())) {
    const std::string name = "lost-" + std::to_string(getpid());
    auto group = Cgroup::create(name, {});
    auto other = Cgroup::create("other-" + std::to_string(getpid()), {});
    REQUIRE(group);
    REQUIRE(other);
    {
        const Sleeper first;
        REQUIRE(group->add(first.pid));
    }
    other->remove(); // sweeps: the first is empty
    const Sleeper sleeper;
    REQUIRE(group->add(sleeper.pid));
    CHECK(sleeper.cgroup().find("/hrun/" + name + "\n") != std::string::npos);
    kill(sleeper.pid, SIGKILL);
    group->remove();
}

// Where groups are made.
std::set<std::string> places() {
    std::set<std::string> found;
    for (const Hierarchy& hierarchy : find_hierarchies())
        for (const std::string& place : {hierarchy.own + "/hrun", hierarchy.mount_point + "/hrun"})
            if (std::filesystem::exists(place))
                found.insert(std::filesystem::canonical(place));
    return found;
}

bool is_there(const std::string& name) {
    const auto all = places();
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& place) { return std::filesystem::exists(place + "/" + name); });
}

TEST_CASE("a group that has just been made is not taken for a left one" *
          doctest::skip(!host_has_cgroups())) {
    const std::string name = "new-" + std::to_string(getpid());
    auto group = Cgroup::create(name, {.memory_max = 256 << 20});
    auto other = Cgroup::create("other-" + std::to_string(getpid()), {});
    REQUIRE(group);
    REQUIRE(other);
    CHECK(is_there(name));
    other->remove();
    CHECK(is_there(name));
    const Sleeper sleeper;
    REQUIRE(group->add(sleeper.pid));
    CHECK(sleeper.cgroup().find("/hrun/" + name + "\n") != std::string::npos);
    kill(sleeper.pid, SIGKILL);
    group->remove();
}

TEST_CASE("nobody who has the place locked holds up a start" * doctest::skip(!host_has_cgroups())) {
    std::vector<Fd> locks;
    for (const std::string& place : places()) {
        locks.emplace_back(open(place.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
        REQUIRE(flock(locks.back().get(), LOCK_EX) == 0);
    }
    auto group = Cgroup::create("held-" + std::to_string(getpid()), {});
    REQUIRE(group);
    const Sleeper sleeper;
    CHECK(group->add(sleeper.pid));
    kill(sleeper.pid, SIGKILL);
    group->remove();
}

} // namespace
} // namespace hrun::jail
