// SPDX-License-Identifier: Apache-2.0
// Threads that the event loop starts (disk workers) inherit its filter and add their own: what they may do, it may. vCPU
// threads are started before it has one.
#include "jail/system_calls.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/kvm_requests.h"

namespace hrun::jail {

namespace {

constexpr uint64_t kAll = ~uint64_t{0};
constexpr uint64_t kInt = 0xffffffff; // the kernel looks at the lower half only

// What pthread_create(3) asks for: a thread, never a process.
constexpr uint64_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                             CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
constexpr uint64_t kStreamSocket = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

Condition is(unsigned argument, uint64_t value) {
    return {argument, kInt, value};
}

class Calls {
  public:
    void allow(std::initializer_list<int> numbers) {
        for (const int number : numbers)
            calls_.push_back({number, {}});
    }
    void allow(int number, std::vector<Condition> conditions) {
        calls_.push_back({number, std::move(conditions)});
    }
    std::vector<AllowedCall> take() { return std::move(calls_); }

  private:
    std::vector<AllowedCall> calls_;
};

// The C library's own needs in any thread: memory (never executable), locks, its end.
void add_basics(Calls& calls, pid_t self) {
    calls.allow({SYS_futex, SYS_brk, SYS_munmap, SYS_madvise, SYS_exit, SYS_exit_group, SYS_rt_sigreturn,
                 SYS_rt_sigprocmask, SYS_restart_syscall, SYS_clock_gettime, SYS_gettid, SYS_getpid,
                 SYS_sched_yield, SYS_set_robust_list, SYS_rseq});
    calls.allow(SYS_mmap, {{2, PROT_EXEC, 0}});
    calls.allow(SYS_mprotect, {{2, PROT_EXEC, 0}});
    calls.allow(SYS_mremap, {});
    calls.allow(SYS_tgkill, {is(0, static_cast<uint64_t>(self))}); // a kick, and abort(3)
    calls.allow(SYS_prctl, {is(0, PR_SET_NAME)});
    calls.allow({SYS_write}); // event descriptors, messages
#ifdef HRUN_SANITIZED
    // The sanitizers' run-time: their own stacks, shadow memory and reports.
    calls.allow({SYS_sigaltstack, SYS_sched_getaffinity, SYS_readlink, SYS_getrlimit, SYS_prlimit64,
                 SYS_prctl, SYS_rt_sigaction, SYS_mmap, SYS_mprotect, SYS_clone, SYS_newfstatat});
#endif
}

void add_vcpu(Calls& calls) {
    for (const uint64_t request : std::initializer_list<uint64_t>{
             KVM_RUN, KVM_GET_REGS, KVM_GET_SREGS}) // the latter two for exit reports
        calls.allow(SYS_ioctl, {is(1, request)});
    calls.allow({SYS_rt_sigtimedwait}); // takes a kick
}

void add_disk_worker(Calls& calls) {
    calls.allow({SYS_preadv, SYS_pwritev, SYS_fdatasync, SYS_fallocate});
}

// container.log, console.log and state.json are replaced by name: the root of the mount namespace, and Landlock where there
// is none, say which names there are.
void add_files(Calls& calls) {
    calls.allow({SYS_openat, SYS_close, SYS_renameat, SYS_unlinkat, SYS_ftruncate, SYS_fsync, SYS_fstat,
                 SYS_newfstatat, SYS_lseek, SYS_read, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev});
    for (const uint64_t command : {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_GET_SEALS})
        calls.allow(SYS_fcntl, {is(1, command)});
}

// New sockets are Unix sockets: a guest's connection to host port N goes to vsock.sock_N in the container's directory.
void add_sockets(Calls& calls) {
    calls.allow({SYS_accept4, SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_sendmsg, SYS_shutdown, SYS_connect,
                 SYS_getsockopt});
    for (const int call : {SYS_socket, SYS_socketpair})
        calls.allow(call, {is(0, AF_UNIX), is(1, kStreamSocket), is(2, 0)});
}

void add_event_loop(Calls& calls) {
    add_files(calls);
    add_sockets(calls);
    calls.allow({SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_poll, SYS_eventfd2, SYS_getrandom,
                 SYS_wait4, SYS_clock_nanosleep});
    for (
        const uint64_t request : std::initializer_list<uint64_t>{
            TUNSETOFFLOAD, // what a guest's network driver has agreed to; the others are for one that comes later
            TUNGETIFF, TUNSETVNETHDRSZ, TUNSETVNETLE, KVM_SET_USER_MEMORY_REGION, KVM_IOEVENTFD, KVM_IRQFD,
            KVM_SET_CLOCK}) // a copy's goes on where the template's stood
        calls.allow(SYS_ioctl, {is(1, request)});
    calls.allow({SYS_preadv2});                           // a disk's read that need not wait
    calls.allow(SYS_pidfd_send_signal, {is(1, SIGKILL)}); // the descriptor says to whom: QEMU
    calls.allow(SYS_clone, {{0, kAll, kThread}});
    calls.allow(SYS_seccomp, {is(0, SECCOMP_SET_MODE_FILTER), is(1, 0)}); // a new thread's own, on top
}

// Of a machine that is to be saved: all that KVM knows of it. None of it changes anything.
void add_saving(Calls& calls) {
    for (const uint64_t request : std::initializer_list<uint64_t>{
             KVM_CHECK_EXTENSION, kvm::kGetMsrIndexList, kvm::kGetMsrFeatureIndexList, KVM_GET_CLOCK,
             KVM_KVMCLOCK_CTRL, KVM_GET_IRQCHIP, KVM_GET_MP_STATE, KVM_GET_REGS, KVM_GET_SREGS2,
             kvm::kGetXsave, kvm::kGetXsave2, KVM_GET_XCRS, KVM_GET_DEBUGREGS, KVM_GET_LAPIC, kvm::kGetMsrs,
             KVM_GET_VCPU_EVENTS})
        calls.allow(SYS_ioctl, {is(1, request)});
}

// It reads records, and asks other servers: sockets of the Internet, but no listening ones.
void add_name_server(Calls& calls) {
    calls.allow(SYS_openat, {{2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}});
    calls.allow({SYS_close, SYS_read, SYS_getdents64, SYS_fstat, SYS_newfstatat, SYS_lseek, SYS_flock,
                 SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_getrandom, SYS_accept4, SYS_recvfrom,
                 SYS_sendto, SYS_connect, SYS_fcntl});
    for (const uint64_t family : {AF_INET, AF_INET6})
        for (const uint64_t type : {SOCK_STREAM, SOCK_DGRAM})
            calls.allow(SYS_socket, {is(0, family), is(1, type | SOCK_CLOEXEC | SOCK_NONBLOCK), is(2, 0)});
}

// It takes connections, and makes as many.
void add_port_relay(Calls& calls) {
    calls.allow({SYS_close, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_accept4, SYS_recvfrom,
                 SYS_sendto, SYS_connect, SYS_shutdown});
    for (const uint64_t type : {SOCK_STREAM, SOCK_DGRAM})
        calls.allow(SYS_socket, {is(0, AF_INET6), is(1, type | SOCK_CLOEXEC | SOCK_NONBLOCK), is(2, 0)});
}

} // namespace

const char* name_of(ThreadKind kind) {
    switch (kind) {
    case ThreadKind::kEventLoop:
        return "event loop";
    case ThreadKind::kTemplateMaker:
        return "template maker";
    case ThreadKind::kVcpu:
        return "vCPU";
    case ThreadKind::kDiskWorker:
        return "disk worker";
    case ThreadKind::kNameServer:
        return "name server";
    case ThreadKind::kEgressGate:
        return "egress gate";
    case ThreadKind::kPortRelay:
        return "port relay";
    }
    return "unknown";
}

std::vector<AllowedCall> allowed_calls(ThreadKind kind, pid_t self) {
    Calls calls;
    add_basics(calls, self);
    if (kind == ThreadKind::kVcpu) {
        add_vcpu(calls);
    } else if (kind == ThreadKind::kNameServer) {
        add_name_server(calls);
    } else if (kind == ThreadKind::kEgressGate) {
        calls.allow({SYS_recvfrom, SYS_sendto, SYS_close});
    } else if (kind == ThreadKind::kPortRelay) {
        add_port_relay(calls);
    } else {
        add_disk_worker(calls);
        if (kind != ThreadKind::kDiskWorker)
            add_event_loop(calls);
        if (kind == ThreadKind::kTemplateMaker)
            add_saving(calls);
    }
    return calls.take();
}

} // namespace hrun::jail
