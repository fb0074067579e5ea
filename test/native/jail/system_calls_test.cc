// SPDX-License-Identifier: Apache-2.0
#include "jail/system_calls.h"

#include <doctest/doctest.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <set>

#include "jail/violation.h"

namespace hrun::jail {
namespace {

bool allows(ThreadKind kind, int number) {
    const auto calls = allowed_calls(kind, 1);
    return std::any_of(calls.begin(), calls.end(),
                       [number](const AllowedCall& call) { return call.number == number; });
}

// The requests that its list has; 0 for one without a condition.
std::set<uint64_t> ioctls_of(ThreadKind kind) {
    std::set<uint64_t> requests;
    for (const AllowedCall& call : allowed_calls(kind, 1))
        if (call.number == SYS_ioctl)
            requests.insert(call.conditions.size() == 1 ? call.conditions[0].value : 0);
    return requests;
}

TEST_CASE("no list has what starts programs, reaches other processes or changes the jail") {
    for (const ThreadKind kind :
         {ThreadKind::kEventLoop, ThreadKind::kTemplateMaker, ThreadKind::kVcpu, ThreadKind::kDiskWorker,
          ThreadKind::kNameServer, ThreadKind::kEgressGate, ThreadKind::kPortRelay})
        for (const int number : {SYS_execve,
                                 SYS_execveat,
                                 SYS_fork,
                                 SYS_vfork,
                                 SYS_clone3,
                                 SYS_ptrace,
                                 SYS_kill,
                                 SYS_process_vm_readv,
                                 SYS_process_vm_writev,
                                 SYS_pidfd_open,
                                 SYS_pidfd_getfd,
                                 SYS_mount,
                                 SYS_umount2,
                                 SYS_pivot_root,
                                 SYS_chroot,
                                 SYS_unshare,
                                 SYS_setns,
                                 SYS_bind,
                                 SYS_listen,
                                 SYS_bpf,
                                 SYS_io_uring_setup,
                                 SYS_open,
                                 SYS_openat2,
                                 SYS_open_by_handle_at,
                                 SYS_linkat,
                                 SYS_symlinkat,
                                 SYS_mkdirat,
                                 SYS_mknodat,
                                 SYS_flock,
                                 SYS_capset,
                                 SYS_setuid,
                                 SYS_memfd_create}) {
            CAPTURE(name_of(kind));
            CAPTURE(number);
            // A name server asks by it whether a record's keeper lives.
            const bool may = kind == ThreadKind::kNameServer && number == SYS_flock;
            CHECK(allows(kind, number) == may);
        }
}

TEST_CASE("a name server changes no file") {
    for (const int number : {SYS_unlinkat, SYS_renameat, SYS_ftruncate, SYS_pwrite64, SYS_writev, SYS_ioctl})
        CHECK_FALSE(allows(ThreadKind::kNameServer, number));
}

TEST_CASE("a port relay opens no file, and sockets of IPv6 alone") {
    for (const int number : {SYS_openat, SYS_read, SYS_ioctl, SYS_fcntl, SYS_setsockopt, SYS_socketpair})
        CHECK_FALSE(allows(ThreadKind::kPortRelay, number));
    CHECK(allows(ThreadKind::kPortRelay, SYS_socket));
}

TEST_CASE("an egress gate opens neither files nor sockets") {
    for (const int number : {SYS_openat, SYS_socket, SYS_connect, SYS_accept4, SYS_ioctl})
        CHECK_FALSE(allows(ThreadKind::kEgressGate, number));
}

TEST_CASE("only the event loop opens files and sockets, only vCPUs run and read the guest") {
    for (const int number : {SYS_openat, SYS_socket, SYS_connect, SYS_accept4, SYS_renameat}) {
        CHECK(allows(ThreadKind::kEventLoop, number));
        CHECK(!allows(ThreadKind::kVcpu, number));
        CHECK(!allows(ThreadKind::kDiskWorker, number));
    }
#ifndef HRUN_SANITIZED // the sanitizers' run-time starts threads of its own
    CHECK(!allows(ThreadKind::kVcpu, SYS_clone));
    CHECK(!allows(ThreadKind::kDiskWorker, SYS_clone));
#endif
    CHECK(allows(ThreadKind::kEventLoop, SYS_clone));
    CHECK(allows(ThreadKind::kVcpu, SYS_ioctl));
    CHECK(ioctls_of(ThreadKind::kVcpu) == std::set<uint64_t>{KVM_RUN, KVM_GET_REGS, KVM_GET_SREGS});
    CHECK(ioctls_of(ThreadKind::kEventLoop) ==
          std::set<uint64_t>{TUNSETOFFLOAD, TUNGETIFF, TUNSETVNETHDRSZ, TUNSETVNETLE,
                             KVM_SET_USER_MEMORY_REGION, KVM_IOEVENTFD,
                             KVM_IRQFD,       // a network interface that comes
                             KVM_SET_CLOCK}); // a copy of a template that begins
    CHECK(!allows(ThreadKind::kDiskWorker, SYS_ioctl));
}

TEST_CASE("a template maker reads a machine's state, and may else do what an event loop may") {
    std::set<uint64_t> more = ioctls_of(ThreadKind::kTemplateMaker);
    for (const uint64_t request : ioctls_of(ThreadKind::kEventLoop))
        CHECK(more.erase(request) == 1);
    for (const uint64_t request : more)
        CHECK((_IOC_DIR(request) != _IOC_WRITE && _IOC_TYPE(request) == KVMIO));
    CHECK(more.contains(KVM_GET_LAPIC));
    CHECK(allowed_calls(ThreadKind::kTemplateMaker, 1).size() ==
          allowed_calls(ThreadKind::kEventLoop, 1).size() + more.size());
}

TEST_CASE("a system call is told by its name, an unknown one by its number") {
    CHECK(system_call_name(SYS_execve) == "execve");
    CHECK(system_call_name(4000) == "system call 4000");
}

} // namespace
} // namespace hrun::jail
