// SPDX-License-Identifier: Apache-2.0
#include "jail/filter.h"

#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail/compiled_filters.inc"

namespace hrun::jail {

namespace {

std::span<const sock_filter> program_of(ThreadKind kind) {
    switch (kind) {
    case ThreadKind::kTemplateMaker:
        return kTemplateMakerFilter;
    case ThreadKind::kVcpu:
        return kVcpuFilter;
    case ThreadKind::kDiskWorker:
        return kDiskWorkerFilter;
    case ThreadKind::kNameServer:
        return kNameServerFilter;
    case ThreadKind::kEgressGate:
        return kEgressGateFilter;
    case ThreadKind::kPortRelay:
        return kPortRelayFilter;
    case ThreadKind::kEventLoop:
        break;
    }
    return kEventLoopFilter;
}

} // namespace

Filter Filter::of_thread(ThreadKind kind, pid_t self) {
    Filter filter(program_of(kind));
    for (sock_filter& instruction : filter.program_)
        if (instruction.k == static_cast<uint32_t>(kAnyProcess))
            instruction.k = static_cast<uint32_t>(self);
    return filter;
}

Filter Filter::of_program() {
    return Filter(kProgramFilter);
}

Filter Filter::of_thawed() {
    return Filter(kThawedFilter);
}

// Threads that leave signals to others block them all; a blocked SIGSYS would kill the process and name nothing.
Result<void> Filter::install() const {
    sigset_t violation;
    sigemptyset(&violation);
    sigaddset(&violation, SIGSYS);
    pthread_sigmask(SIG_UNBLOCK, &violation, nullptr);
    const sock_fprog program{static_cast<unsigned short>(program_.size()),
                             const_cast<sock_filter*>(program_.data())};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return Error::last("install a system-call filter");
    return {};
}

} // namespace hrun::jail
