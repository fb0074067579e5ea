// SPDX-License-Identifier: Apache-2.0
// namespaces(7), user_namespaces(7), pid_namespaces(7).
#include "jail/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "base/fd.h"

namespace hrun::jail {

namespace {

constexpr unsigned long kNamespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID;

Result<void> write_file(const char* path, const std::string& text) {
    const Fd file(open(path, O_WRONLY | O_CLOEXEC));
    if (!file.valid() || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return Error::last(std::string("write ") + path);
    return {};
}

} // namespace

// The system call itself: fork() knows no flags, unshare(2) would leave the caller outside of the new pid namespace. What
// glibc does around fork() is for processes of several threads.
Result<pid_t> fork_into_namespaces() {
    const unsigned long user = geteuid() == 0 ? 0 : CLONE_NEWUSER;
    const long pid = syscall(SYS_clone, kNamespaces | user | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid < 0)
        return Error::last("create namespaces");
    return static_cast<pid_t>(pid);
}

Result<void> map_own_ids(uid_t user, gid_t group) {
    const auto same = [](unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1"; };
    HRUN_TRY(write_file("/proc/self/setgroups", "deny"));
    HRUN_TRY(write_file("/proc/self/uid_map", same(user)));
    return write_file("/proc/self/gid_map", same(group));
}

pid_t outer_pid() {
    char number[16]{};
    const ssize_t size = readlink("/proc/self", number, sizeof number - 1);
    return size > 0 ? atoi(number) : getpid();
}

} // namespace hrun::jail
