/* SPDX-License-Identifier: Apache-2.0 */
#include "reaper.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* One signal may stand for many children. */
static void ready(struct source* source, uint32_t events) {
    struct reaper* reaper = owner_of(source, struct reaper, source);
    struct signalfd_siginfo ignored;
    int status;
    pid_t pid;
    (void)events;
    while (read(source->fd, &ignored, sizeof(ignored)) > 0)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        reaper->exited(reaper, pid, status);
}

int reaper_open(struct reaper* reaper, struct loop* loop, struct err* err) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    reaper->source.fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    reaper->source.ready = ready;
    if (reaper->source.fd < 0 || loop_watch(loop, &reaper->source, EPOLLIN) < 0)
        return err_system(err, "watch for ended processes");
    return 0;
}
