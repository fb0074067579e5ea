// SPDX-License-Identifier: Apache-2.0
#include "jail/violation.h"

#include <linux/futex.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>

namespace hrun::jail {

namespace {

// A signal handler has no owner to ask: one process, one place to report to.
std::atomic<uint64_t> report_to; // descriptor and tag

// Only system calls that are on every list, and nothing that takes a lock.
void stand_still(int, siginfo_t* info, void*) {
    const uint64_t target = report_to;
    const uint32_t message[] = {static_cast<uint32_t>(target), static_cast<uint32_t>(info->si_syscall)};
    [[maybe_unused]] const ssize_t written = write(static_cast<int>(target >> 32), message, sizeof message);
    static const uint32_t never = 0;
    for (;;)
        syscall(SYS_futex, &never, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
}

} // namespace

Result<void> report_violations(int report, uint32_t tag) {
    report_to = static_cast<uint64_t>(report) << 32 | tag;
    struct sigaction action {};
    action.sa_sigaction = stand_still;
    action.sa_flags = SA_SIGINFO;
    sigfillset(&action.sa_mask);
    if (sigaction(SIGSYS, &action, nullptr) < 0)
        return Error::last("watch for forbidden system calls");
    return {};
}

std::string system_call_name(uint32_t number) {
    const std::unique_ptr<char, decltype(&free)> name(
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, static_cast<int>(number)), free);
    return name ? name.get() : "system call " + std::to_string(number);
}

} // namespace hrun::jail
