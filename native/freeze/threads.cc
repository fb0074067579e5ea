// SPDX-License-Identifier: Apache-2.0
// Each thread is made to stop in a signal handler: what the kernel puts on its stack there is all that it needs to go on, in this process or in
// another that has the same memory.
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

#include "freeze/entries.h"
#include "freeze/tables.h"

extern "C" {
// glibc 2.35 and later
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));
}

namespace hrun::freeze {

namespace {

// Threads block what they leave to others, but never this one, which their program has no other use for.
constexpr int kStop = SIGFPE;
constexpr unsigned kStopLimitMs = 5000;
constexpr uint32_t kRseqBytes = 32; // of its first version, which every later one takes

int stopped_tids[kMaxThreads];
unsigned stopped; // threads

uint64_t rseq_address(uint64_t thread_pointer) {
    return &__rseq_size && __rseq_size > 0 ? thread_pointer + static_cast<uint64_t>(__rseq_offset) : 0;
}

// In each thread, on its stack. Whoever goes on from here does so by returning to `context`.
void stand_still(int, siginfo_t*, void* context) {
    const int tid = static_cast<int>(syscall(SYS_gettid));
    for (unsigned i = 0; i < tables.header.threads; ++i) {
        if (stopped_tids[i] != tid)
            continue;
        Thread& thread = tables.threads[i];
        size_t size = 0;
        thread.context = reinterpret_cast<uint64_t>(context);
        syscall(SYS_arch_prctl, ARCH_GET_FS, &thread.fs_base);
        syscall(SYS_get_robust_list, 0, &thread.robust_list, &size);
        prctl(PR_GET_TID_ADDRESS, &thread.tid_address);
        prctl(PR_GET_NAME, thread.name);
        thread.rseq = rseq_address(thread.fs_base);
        thread.rseq_bytes = kRseqBytes;
        __atomic_fetch_add(&stopped, 1, __ATOMIC_SEQ_CST);
        for (;;)
            pause();
    }
}

int own_tid() {
    return static_cast<int>(syscall(SYS_gettid));
}

// A thread as it knows itself: /proc may be that of a pid namespace above. 0 when it has ended.
int tid_of(const char* entry) {
    char path[64];
    char status[2048];
    snprintf(path, sizeof path, "/proc/self/task/%.16s/status", entry);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t size = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
    close(fd);
    status[size > 0 ? size : 0] = 0;
    const char* line = strstr(status, "\nNSpid:");
    if (!line)
        return 0;
    const char* end = strchrnul(line + 1, '\n');
    while (end[-1] >= '0' && end[-1] <= '9')
        --end;
    return atoi(end);
}

bool is_known(int tid) {
    for (unsigned i = 0; i < tables.header.threads; ++i)
        if (stopped_tids[i] == tid)
            return true;
    return false;
}

// Stops the threads that are there. True when all had been stopped before.
bool stop_new_threads(bool& good) {
    Entries tasks("/proc/self/task");
    bool none = true;
    while (const char* entry = tasks.next()) {
        const int tid = tid_of(entry);
        if (tid == 0 || tid == own_tid() || is_known(tid))
            continue;
        if (tables.header.threads == kMaxThreads) {
            good = fail("more than %u threads", kMaxThreads);
            break;
        }
        none = false;
        stopped_tids[tables.header.threads++] = tid;
        syscall(SYS_tgkill, getpid(), tid, kStop);
    }
    return none;
}

} // namespace

bool stop_threads() {
    struct sigaction stop {};
    stop.sa_sigaction = stand_still;
    stop.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&stop.sa_mask);
    struct sigaction before {};
    if (sigaction(kStop, &stop, &before) < 0 || before.sa_handler != SIG_DFL)
        return fail("the signal that stops threads is in use");
    bool good = true;
    for (bool all = false; !all && good;) {
        all = stop_new_threads(good);
        for (unsigned waited = 0;
             good && __atomic_load_n(&stopped, __ATOMIC_SEQ_CST) < tables.header.threads;) {
            usleep(1000);
            if (++waited > kStopLimitMs)
                good = fail("a thread does not stop");
        }
    }
    sigaction(kStop, &before, nullptr);
    for (unsigned i = 0; good && i < tables.header.threads; ++i)
        if (!tables.threads[i].tid_address)
            good = fail("this kernel does not tell what it knows of threads (CONFIG_CHECKPOINT_RESTORE)");
    if (good && stopped_tids[0] != getpid())
        good = fail("the first thread is not the one the process began with");
    return good;
}

} // namespace hrun::freeze
