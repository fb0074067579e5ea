// SPDX-License-Identifier: Apache-2.0
#include "monitor/host_check.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "jail/cgroup.h"
#include "jail/landlock.h"
#include "jail/namespaces.h"
#include "jail/privileges.h"
#include "jail/root.h"

namespace hrun::monitor {

namespace {

constexpr char kAnyDirectory[] = "/usr";

std::string reason(const Result<void>& result) {
    return result ? std::string() : result.error().message();
}

// What a child that `fork` makes has to say of `attempt`.
std::string ask_child(const std::function<Result<pid_t>()>& fork,
                      const std::function<Result<void>()>& attempt) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return Error::last("create a pipe").message();
    const Fd from_child(ends[0]);
    Fd to_parent(ends[1]);
    auto child = fork();
    if (!child)
        return child.error().message();
    if (*child == 0) {
        const std::string answer = reason(attempt());
        [[maybe_unused]] const ssize_t written = write(to_parent.get(), answer.data(), answer.size());
        _exit(0);
    }
    to_parent.reset();
    char answer[512];
    const ssize_t size = read(from_child.get(), answer, sizeof answer);
    waitpid(*child, nullptr, 0);
    return {answer, size > 0 ? static_cast<size_t>(size) : 0};
}

std::string check_namespaces() {
    const uid_t user = geteuid();
    const gid_t group = getegid();
    return ask_child(jail::fork_into_namespaces, [=]() -> Result<void> {
        if (user != 0)
            HRUN_TRY(jail::map_own_ids(user, group));
        HRUN_TRY(jail::make_mounts_private());
        if (chdir(kAnyDirectory) < 0)
            return Error::last("enter " + std::string(kAnyDirectory));
        return jail::confine_to_working_directory();
    });
}

std::string check_landlock() {
    const auto plain_fork = []() -> Result<pid_t> {
        const pid_t pid = fork();
        return pid < 0 ? Result<pid_t>(Error::last("start a process")) : Result<pid_t>(pid);
    };
    return ask_child(plain_fork, []() -> Result<void> {
        HRUN_TRY(jail::drop_privileges());
        return jail::confine_files_to_working_directory();
    });
}

// One that we may run on.
std::string first_cpu() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    int cpu = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &allowed))
            ++cpu;
    return std::to_string(cpu);
}

std::string check_cgroup() {
    auto group = jail::Cgroup::create("check-" + std::to_string(getpid()), {.memory_max = 1ull << 40,
                                                                            .swap_max = 1ull << 40,
                                                                            .cpu_max = 100000,
                                                                            .pids_max = 1 << 20,
                                                                            .cpus = first_cpu(),
                                                                            .devices = {}});
    if (!group)
        return group.error().message();
    group->remove();
    return group->missing().empty() ? "" : "no limit can be set for " + group->missing();
}

} // namespace

std::string check_host() {
    return nlohmann::ordered_json{
        {"namespaces", check_namespaces()}, {"landlock", check_landlock()}, {"controlGroup", check_cgroup()}}
        .dump();
}

} // namespace hrun::monitor
