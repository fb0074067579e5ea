// SPDX-License-Identifier: Apache-2.0
// Compiles the lists of system calls to BPF while hrun is built, and writes them to standard output as C++ arrays.
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/fd.h"
#include "jail/denied_calls.h"
#include "jail/system_calls.h"

namespace {

using namespace hrun;
using namespace hrun::jail;
using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

void require(int code, const char* what) {
    if (code >= 0)
        return;
    fprintf(stderr, "filter_compiler: %s: %s\n", what, strerror(-code));
    exit(1);
}

// A filter that answers `otherwise` to calls without a rule, and death to calls of another architecture.
Context create_context(uint32_t otherwise) {
    Context context(seccomp_init(otherwise), seccomp_release);
    require(context ? 0 : -ENOMEM, "create a filter");
    require(seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "architecture");
    return context;
}

Context thread_filter(ThreadKind kind) {
    Context context = create_context(SCMP_ACT_TRAP);
    for (const AllowedCall& call : allowed_calls(kind, kAnyProcess)) {
        std::vector<scmp_arg_cmp> arguments;
        for (const Condition& condition : call.conditions)
            arguments.push_back({condition.argument, SCMP_CMP_MASKED_EQ, condition.mask, condition.value});
        require(seccomp_rule_add_array(context.get(), SCMP_ACT_ALLOW, call.number,
                                       static_cast<unsigned>(arguments.size()), arguments.data()),
                "allow a system call");
    }
    // glibc tries clone3 first, whose flags a filter cannot see, and then clone.
    require(seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
    return context;
}

Context program_filter() {
    Context context = create_context(SCMP_ACT_ALLOW);
    for (const int number : denied_calls())
        require(seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(EPERM), number, 0), "deny a system call");
    for (const int call : {SYS_socket, SYS_socketpair})
        require(
            seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(EPERM), call, 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX)),
            "deny sockets");
    return context;
}

// What QEMU's own sandbox (-sandbox, softmmu/qemu-seccomp.c) denies besides: a process that was thawed has not come by its command line.
Context thawed_filter() {
    Context context = create_context(SCMP_ACT_ALLOW);
    for (const int number : {SYS_fork,           SYS_vfork,
                             SYS_execve,         SYS_execveat,
                             SYS_setuid,         SYS_setgid,
                             SYS_setpgid,        SYS_setsid,
                             SYS_setreuid,       SYS_setregid,
                             SYS_setresuid,      SYS_setresgid,
                             SYS_setfsuid,       SYS_setfsgid,
                             SYS_setgroups,      SYS_setpriority,
                             SYS_sched_setparam, SYS_sched_setscheduler,
                             SYS_sched_setattr,  SYS_sched_setaffinity,
                             SYS_uselib,         SYS_ustat,
                             SYS_sysfs})
        require(seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(EPERM), number, 0), "deny a system call");
    require(seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(EPERM), SYS_clone, 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)),
            "deny processes");
    // Its flags are in memory: the C library tries clone(2) then.
    require(seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(ENOSYS), SYS_clone3, 0), "deny clone3");
    return context;
}

// libseccomp writes to descriptors only.
std::vector<sock_filter> export_program(const Context& context) {
    const Fd file(memfd_create("filter", MFD_CLOEXEC));
    require(seccomp_export_bpf(context.get(), file.get()), "export a filter");
    const off_t size = lseek(file.get(), 0, SEEK_END);
    std::vector<sock_filter> program(static_cast<size_t>(size) / sizeof(sock_filter));
    require(pread(file.get(), program.data(), program.size() * sizeof(sock_filter), 0) == size ? 0 : -EIO,
            "read a filter");
    return program;
}

void print(const char* name, const Context& context) {
    printf("constexpr sock_filter %s[] = {\n", name);
    for (const sock_filter& each : export_program(context))
        printf("    {0x%x, %u, %u, 0x%x},\n", each.code, each.jt, each.jf, each.k);
    printf("};\n");
}

} // namespace

int main() {
    puts("// Written by filter_compiler.cc.");
    print("kEventLoopFilter", thread_filter(ThreadKind::kEventLoop));
    print("kTemplateMakerFilter", thread_filter(ThreadKind::kTemplateMaker));
    print("kVcpuFilter", thread_filter(ThreadKind::kVcpu));
    print("kDiskWorkerFilter", thread_filter(ThreadKind::kDiskWorker));
    print("kNameServerFilter", thread_filter(ThreadKind::kNameServer));
    print("kEgressGateFilter", thread_filter(ThreadKind::kEgressGate));
    print("kPortRelayFilter", thread_filter(ThreadKind::kPortRelay));
    print("kProgramFilter", program_filter());
    print("kThawedFilter", thawed_filter());
    return fflush(stdout) == 0 ? 0 : 1;
}
