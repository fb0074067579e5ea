// SPDX-License-Identifier: Apache-2.0
#include "jail/cgroup.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

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

TEST_CASE("a group that another took for a left one is made again" * doctest::skip(!host_has_cgroups())) {
    const std::string name = "lost-" + std::to_string(getpid());
    auto group = Cgroup::create(name, {});
    auto other = Cgroup::create("other-" + std::to_string(getpid()), {});
    REQUIRE(group);
    REQUIRE(other);
    other->remove(); // sweeps: the first is empty
    const Sleeper sleeper;
    REQUIRE(group->add(sleeper.pid));
    CHECK(sleeper.cgroup().find("/hrun/" + name + "\n") != std::string::npos);
}

} // namespace
} // namespace hrun::jail
