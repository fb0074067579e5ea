// SPDX-License-Identifier: Apache-2.0
// Loaded into a process before its program (LD_PRELOAD), writes the process to a file when it is told to. See image.h and docs/frozen.md.
//
// A thread of its own waits for the word, on the socket whose number HRUN_FREEZE is.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "freeze/tables.h"

namespace hrun::freeze {

namespace {

void note_actions() {
    for (unsigned i = 0; i < kSignals; ++i)
        syscall(SYS_rt_sigaction, i + 1, nullptr, &tables.header.actions[i], sizeof(uint64_t));
}

bool freeze(int talk, int target) {
    note_actions();
    return stop_threads() && note_layout() && note_memory() && note_files(talk, target) &&
           write_image(target);
}

// The file to write to comes with one byte; the answer is what is wrong, and nothing if nothing is.
int receive_target(int talk) {
    char byte;
    char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(talk, &message, MSG_CMSG_CLOEXEC) <= 0)
        return -1;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    int target = -1;
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&target, CMSG_DATA(header), sizeof target);
    return target;
}

void* wait_for_word(void* argument) {
    const int talk = static_cast<int>(reinterpret_cast<intptr_t>(argument));
    fcntl(talk, F_SETFL, fcntl(talk, F_GETFL) & ~O_NONBLOCK);
    const int target = receive_target(talk);
    if (target < 0)
        return nullptr;
    if (freeze(talk, target))
        mistake[0] = 0;
    strcat(mistake, "\n");
    [[maybe_unused]] const ssize_t sent = send(talk, mistake, strlen(mistake), MSG_NOSIGNAL);
    for (;;) // nothing goes on here
        pause();
}

__attribute__((constructor)) void begin() {
    const char* number = getenv("HRUN_FREEZE");
    if (!number)
        return;
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_create(&thread, nullptr, wait_for_word,
                   reinterpret_cast<void*>(static_cast<intptr_t>(atoi(number))));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace

} // namespace hrun::freeze
