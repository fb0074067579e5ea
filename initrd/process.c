/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "cleanup.h"
#include "protocol.h"

#define INIT_NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC)

/* Every descriptor of both sides, owned until handed over. */
struct ends {
    int agent[4]; /* input, output, error, report */
    int child[4];
};

static void close_all(int* fds) {
    for (int i = 0; i < 4; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void cleanup_ends(struct ends* ends) {
    close_all(ends->agent);
    close_all(ends->child);
}

static int set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* More than a pipe has by itself (64 KiB): every time one is full or empty costs two context switches. */
#define STREAM_PIPE_BYTES (256 * 1024)

/* A pipe for standard stream `index`: the child's end blocks, as programs expect. */
static int make_pipe(struct ends* ends, int index, struct err* err) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_system(err, "make a pipe");
    (void)fcntl(fds[0], F_SETPIPE_SZ, STREAM_PIPE_BYTES);
    bool input = index == 0;
    ends->child[index] = input ? fds[0] : fds[1];
    ends->agent[index] = input ? fds[1] : fds[0];
    return set_nonblocking(ends->agent[index]) < 0 ? err_system(err, "make a pipe") : 0;
}

static int discard_output(struct ends* ends, struct err* err) {
    for (int i = 1; i < 3; i++)
        if ((ends->child[i] = open("/dev/null", O_WRONLY | O_CLOEXEC)) < 0)
            return err_system(err, "open /dev/null");
    return 0;
}

static int make_streams(uint32_t flags, struct ends* ends, struct err* err) {
    if (flags & HRUN_START_TTY)
        return 0;
    if (flags & HRUN_START_STDIN) {
        if (make_pipe(ends, 0, err) < 0)
            return -1;
    } else {
        ends->child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (ends->child[0] < 0)
            return err_system(err, "open /dev/null");
    }
    if (flags & HRUN_START_DETACHED)
        return discard_output(ends, err);
    return make_pipe(ends, 1, err) < 0 ? -1 : make_pipe(ends, 2, err);
}

static int make_report(struct ends* ends, struct err* err) {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return err_system(err, "make a socket pair");
    ends->agent[3] = fds[0];
    ends->child[3] = fds[1];
    return 0;
}

static pid_t clone_into(uint64_t namespaces, int cgroup, int* pidfd) {
    struct clone_args arguments = {
        .flags = namespaces | CLONE_PIDFD | CLONE_INTO_CGROUP,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)cgroup,
    };
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* For an exec, children of the agent are born in the container's pid namespace while this lasts: no process
 * in between is needed. */
static int set_children_namespace(int pidfd, struct err* err) {
    if (syscall(SYS_setns, pidfd, CLONE_NEWPID) < 0)
        return err_system(err, "enter the container's pid namespace");
    return 0;
}

static pid_t clone_exec(const struct container* container, int* pidfd, struct err* err) {
    owned_fd self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (self < 0)
        return err_system(err, "open the agent's own process");
    if (set_children_namespace(container->init_pidfd, err) < 0)
        return -1;
    pid_t pid = clone_into(0, container->cgroup, pidfd);
    if (pid == 0)
        return 0;
    int number = errno;
    if (set_children_namespace(self, err) < 0)
        return -1;
    errno = number;
    return pid < 0 ? err_system(err, "make a process") : pid;
}

static pid_t clone_init(struct container* container, struct err* err) {
    uint64_t names = container->first ? 0 : CLONE_NEWUTS;
    pid_t pid = clone_into(INIT_NAMESPACES | names, container->cgroup, &container->init_pidfd);
    if (pid > 0)
        container->init = pid;
    return pid < 0 ? err_system(err, "make the container's process") : pid;
}

/* Outside the container in every way: it is not frozen with it, and nothing in there can see it. */
static pid_t clone_archive(struct err* err) {
    pid_t pid = fork();
    return pid < 0 ? err_system(err, "make a process") : pid;
}

static pid_t clone_process(struct container* container, const struct start_request* request,
                           struct err* err) {
    if (request->archive)
        return clone_archive(err);
    if (request->flags & HRUN_START_INIT_SESSION)
        return clone_init(container, err);
    owned_fd pidfd = -1;
    return clone_exec(container, &pidfd, err);
}

int process_start(struct container* container, const struct start_request* request, struct process* process,
                  struct err* err) {
    __attribute__((cleanup(cleanup_ends))) struct ends ends = {{-1, -1, -1, -1}, {-1, -1, -1, -1}};
    if (make_streams(request->flags, &ends, err) < 0 || make_report(&ends, err) < 0)
        return -1;
    pid_t pid = clone_process(container, request, err);
    if (pid < 0)
        return -1;
    if (pid == 0) {
        struct child child = {
            container, request, ends.child[3], {ends.child[0], ends.child[1], ends.child[2]}};
        child_run(&child);
    }
    process->pid = pid;
    process->input = take_fd(&ends.agent[0]);
    process->output = take_fd(&ends.agent[1]);
    process->error = take_fd(&ends.agent[2]);
    process->report = take_fd(&ends.agent[3]);
    return 0;
}
