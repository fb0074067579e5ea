// SPDX-License-Identifier: Apache-2.0
#include "jail/filter.h"

#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "jail/seccomp_context.h"

namespace hrun::jail {

namespace {

Error builder_error(int code) {
    return {-code, "build a system-call filter"};
}

} // namespace

Result<SeccompContext> create_seccomp_context(uint32_t otherwise) {
    SeccompContext context(seccomp_init(otherwise), seccomp_release);
    if (!context)
        return Error{ENOMEM, "build a system-call filter"};
    if (const int code = seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        code < 0)
        return builder_error(code);
    return context;
}

// libseccomp writes to descriptors only.
Result<std::vector<sock_filter>> export_program(const SeccompContext& context) {
    const Fd file(memfd_create("filter", MFD_CLOEXEC));
    if (!file.valid())
        return Error::last("build a system-call filter");
    if (const int code = seccomp_export_bpf(context.get(), file.get()); code < 0)
        return builder_error(code);
    const off_t size = lseek(file.get(), 0, SEEK_END);
    std::vector<sock_filter> program(static_cast<size_t>(size) / sizeof(sock_filter));
    if (pread(file.get(), program.data(), program.size() * sizeof(sock_filter), 0) != size)
        return Error::last("build a system-call filter");
    return program;
}

Result<Filter> Filter::compile(ThreadKind kind, pid_t self) {
    auto context = create_seccomp_context(SCMP_ACT_TRAP);
    if (!context)
        return context.error();
    for (const AllowedCall& call : allowed_calls(kind, self)) {
        std::vector<scmp_arg_cmp> arguments;
        for (const Condition& condition : call.conditions)
            arguments.push_back({condition.argument, SCMP_CMP_MASKED_EQ, condition.mask, condition.value});
        const int code = seccomp_rule_add_array(context->get(), SCMP_ACT_ALLOW, call.number,
                                                static_cast<unsigned>(arguments.size()), arguments.data());
        if (code < 0)
            return builder_error(code);
    }
    // glibc tries clone3 first, whose flags a filter cannot see, and then clone.
    if (const int code = seccomp_rule_add(context->get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        code < 0)
        return builder_error(code);
    auto program = export_program(*context);
    if (!program)
        return program.error();
    return Filter(std::move(*program));
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
