// SPDX-License-Identifier: Apache-2.0
#include "jail/system_calls.h"

#include <doctest/doctest.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <algorithm>

#include "jail/violation.h"

namespace hrun::jail {
namespace {

bool allows(ThreadKind kind, int number) {
    const auto calls = allowed_calls(kind, 1);
    return std::any_of(calls.begin(), calls.end(),
                       [number](const AllowedCall& call) { return call.number == number; });
}

TEST_CASE("no list has what starts programs, reaches other processes or changes the jail") {
    for (const ThreadKind kind : {ThreadKind::kEventLoop, ThreadKind::kVcpu, ThreadKind::kDiskWorker,
                                  ThreadKind::kNameServer, ThreadKind::kEgressGate})
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

TEST_CASE("an egress gate opens neither files nor sockets") {
    for (const int number : {SYS_openat, SYS_socket, SYS_connect, SYS_accept4, SYS_ioctl})
        CHECK_FALSE(allows(ThreadKind::kEgressGate, number));
}

TEST_CASE("only the event loop opens files and sockets, only vCPUs speak to KVM") {
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
    for (const AllowedCall& call : allowed_calls(ThreadKind::kEventLoop, 1))
        if (call.number == SYS_ioctl) {
            REQUIRE(call.conditions.size() == 1);
            CHECK(call.conditions[0].value == TUNSETOFFLOAD);
        }
    CHECK(!allows(ThreadKind::kDiskWorker, SYS_ioctl));
}

TEST_CASE("a system call is told by its name, an unknown one by its number") {
    CHECK(system_call_name(SYS_execve) == "execve");
    CHECK(system_call_name(4000) == "system call 4000");
}

} // namespace
} // namespace hrun::jail
