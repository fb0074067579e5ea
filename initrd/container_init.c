/* SPDX-License-Identifier: Apache-2.0 */
#include "container_init.h"

#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reaps whatever has ended. Exits once the command has. */
static void reap(pid_t command) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == command)
            _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

_Noreturn static void run(pid_t command) {
    sigset_t all;
    int signal;
    sigfillset(&all);
    prctl(PR_SET_NAME, "hrun-init");
    syscall(SYS_close_range, STDERR_FILENO + 1, UINT32_MAX, 0);
    for (;;) {
        if (sigwait(&all, &signal) != 0)
            continue;
        if (signal == SIGCHLD)
            reap(command);
        else
            kill(command, signal);
    }
}

/* The command leads its own process group, so that a terminal's signals reach it and not init. */
static void lead_group(int terminal) {
    setpgid(0, 0);
    if (terminal)
        tcsetpgrp(STDIN_FILENO, getpid());
}

int container_init_split(int terminal) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t command = fork();
    if (command > 0)
        run(command);
    if (command == 0)
        lead_group(terminal); /* SIGTTOU, which tcsetpgrp raises in the background, is still blocked */
    sigprocmask(SIG_SETMASK, &before, NULL);
    return command;
}
