// SPDX-License-Identifier: Apache-2.0
#include <asm/prctl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

#include "freeze/thawing.h"

namespace hrun::freeze {

namespace {

constexpr size_t kThreadStackBytes = 4 << 10;

alignas(64) char thread_stacks[kMaxThreads][kThreadStackBytes];
uint32_t gate; // opens when it is 1

// What is its own of a thread: what the kernel knows of it, but not what it has on its stack.
void become(const Thread& thread) {
    syscall(SYS_set_robust_list, thread.robust_list, 24);
    prctl(PR_SET_NAME, thread.name);
    if (thread.rseq)
        syscall(SYS_rseq, thread.rseq, thread.rseq_bytes, 0, RSEQ_SIG);
}

[[noreturn]] void go_on(const Thread& thread) {
    asm volatile("mov %0, %%rsp\n\t"
                 "mov %1, %%eax\n\t"
                 "syscall\n\t"
                 "hlt"
                 :
                 : "r"(thread.context), "i"(SYS_rt_sigreturn)
                 : "memory", "rax");
    __builtin_unreachable();
}

[[noreturn]] __attribute__((no_stack_protector)) void run_thread(uint64_t number) {
    const Thread& thread = thawing.threads[number];
    become(thread);
    while (!__atomic_load_n(&gate, __ATOMIC_SEQ_CST))
        syscall(SYS_futex, &gate, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
    go_on(thread);
}

// clone(2) on a stack of ours, in whose thread this returns into run_thread.
long start(const Thread& thread, uint64_t number) {
    constexpr uint64_t kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                CLONE_SYSVSEM | CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    long result;
    register uint64_t tid asm("r10") = thread.tid_address;
    register uint64_t tls asm("r8") = thread.fs_base;
    register uint64_t index asm("r12") = number;
    register auto run asm("r13") = run_thread;
    asm volatile("syscall\n\t"
                 "test %%rax, %%rax\n\t"
                 "jnz 1f\n\t"
                 "xor %%ebp, %%ebp\n\t"
                 "mov %%r12, %%rdi\n\t"
                 "call *%%r13\n\t"
                 "hlt\n\t"
                 "1:"
                 : "=a"(result)
                 : "a"(SYS_clone), "D"(kFlags), "S"(thread_stacks[number] + kThreadStackBytes), "d"(0),
                   "r"(tid), "r"(tls), "r"(index), "r"(run)
                 : "rcx", "r11", "memory");
    return result;
}

} // namespace

void start_threads() {
    for (uint32_t i = 1; i < thawing.header.threads; ++i)
        if (start(thawing.threads[i], i) < 0)
            fail("start a thread");
}

void set_actions() {
    for (int i = 0; i < static_cast<int>(kSignals); ++i)
        if (i + 1 != SIGKILL && i + 1 != SIGSTOP &&
            syscall(SYS_rt_sigaction, i + 1, &thawing.header.actions[i], nullptr, sizeof(uint64_t)) < 0)
            fail("set what a signal does");
}

[[noreturn]] __attribute__((no_stack_protector)) void become_first() {
    const Thread& thread = thawing.threads[0];
    if (__rseq_size > 0)
        syscall(SYS_rseq, static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset, 32,
                RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
    const long tid = syscall(SYS_set_tid_address, thread.tid_address);
    *reinterpret_cast<int*>(thread.tid_address) = static_cast<int>(tid);
    become(thread);
    __atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &gate, FUTEX_WAKE_PRIVATE, INT32_MAX, nullptr, nullptr, 0);
    syscall(SYS_arch_prctl, ARCH_SET_FS, thread.fs_base);
    go_on(thread);
}

} // namespace hrun::freeze
