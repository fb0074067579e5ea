/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "archive.h"
#include "cleanup.h"
#include "container_init.h"
#include "dev_nodes.h"
#include "identity.h"
#include "path_lookup.h"
#include "process_list.h"
#include "protocol.h"
#include "pty.h"
#include "report.h"
#include "root_path.h"

static bool has(const struct child* child, uint32_t flag) {
    return child->request->flags & flag;
}

/* Undoes what the agent did to its own signals; they would survive execve. */
static void reset_signals(void) {
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigaction(SIGPIPE, &standard, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* While /proc is still the agent's. A further container's agent has a score of its own, which is not passed on. */
static int set_oom_score(const struct child* child, struct err* err) {
    char text[16];
    const struct start_request* request = child->request;
    if (!request->has_oom_score && !child->container->first)
        return 0;
    int length = snprintf(text, sizeof(text), "%d", request->oom_score);
    owned_fd file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, text, (size_t)length) < 0)
        return err_system(err, "set the OOM score adjustment to %s", text);
    return 0;
}

static int enter_container(const struct child* child, struct err* err) {
    bool init = has(child, HRUN_START_INIT_SESSION);
    int result = init ? container_enter(child->container, err) : container_join(child->container, err);
    if (result < 0 && err->kind == 0)
        err->kind = init ? HRUN_ERROR_CONFIG : HRUN_ERROR_START;
    return result;
}

/* A terminal of the container's own; its master goes to the agent. */
static int open_terminal(struct child* child, struct err* err) {
    const struct start_request* request = child->request;
    const struct report report = {.type = REPORT_TERMINAL};
    owned_fd master = -1;
    owned_fd slave = pty_open(&master, err);
    if (slave < 0 || pty_control(slave, err) < 0)
        return -1;
    if (request->rows && request->columns && pty_resize(master, request->rows, request->columns) < 0)
        return err_system(err, "set the size of the terminal");
    if (report_send(child->report, &report, master) < 0)
        return err_system(err, "hand over the terminal");
    for (int i = 0; i < 3; i++)
        child->standard[i] = slave;
    (void)take_fd(&slave);
    return 0;
}

/* Docker shows the container's terminal as /dev/console too. */
static int bind_console(const struct child* child, struct err* err) {
    owned_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_system(err, "open the container's root");
    char name[64], path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", child->standard[0]);
    ssize_t length = readlink(path, name, sizeof(name) - 1);
    if (length < 0)
        return err_system(err, "name the terminal");
    name[length] = '\0';
    owned_fd terminal = root_find(root, name);
    if (terminal < 0)
        return err_system(err, "find the terminal %s", name);
    return dev_console_bind(root, terminal, err);
}

static int set_standard_streams(struct child* child, struct err* err) {
    setsid();
    if (has(child, HRUN_START_TTY)) {
        if (open_terminal(child, err) < 0)
            return -1;
        if (has(child, HRUN_START_INIT_SESSION) && bind_console(child, err) < 0)
            return -1;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(child->standard[i], i) < 0)
            return err_system(err, "set standard stream %d", i);
    return 0;
}

/* So that the user can open /dev/stdout again, whoever it is. /dev/null belongs to all already. */
static int own_standard_streams(const struct identity* identity, struct err* err) {
    for (int i = 0; i < 3; i++) {
        struct stat status;
        if (fstat(i, &status) < 0)
            return err_system(err, "look at standard stream %d", i);
        bool null = S_ISCHR(status.st_mode) && major(status.st_rdev) == 1;
        if (!null && status.st_uid != identity->uid && fchown(i, identity->uid, (gid_t)-1) < 0)
            return err_system(err, "give standard stream %d to user %u", i, identity->uid);
    }
    return 0;
}

static int set_limits(const struct start_request* request, struct err* err) {
    for (size_t i = 0; i < request->rlimit_count; i++) {
        const struct rlimit_request* wanted = &request->rlimits[i];
        const struct rlimit limit = {wanted->soft, wanted->hard};
        if (setrlimit((int)wanted->resource, &limit) < 0)
            return err_system(err, "set resource limit %u", wanted->resource);
    }
    umask(request->umask);
    return 0;
}

/* As root: a user who may not read the directory may still start in it, as with Docker. */
static int enter_directory(const struct child* child, struct err* err) {
    const char* cwd = child->request->cwd;
    if (chdir(cwd) == 0)
        return 0;
    if (errno == ENOENT && has(child, HRUN_START_INIT_SESSION)) {
        owned_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        owned_fd made = root_make_directory(root, cwd, err);
        if (made >= 0 && chdir(cwd) == 0)
            return 0;
    }
    err_system(err, "chdir to cwd (\"%s\")", cwd);
    err->kind = HRUN_ERROR_CWD;
    return -1;
}

static int become_user(const struct child* child, struct err* err) {
    struct identity identity = {0};
    if (identity_find(child->request, &identity, err) < 0)
        return -1;
    if (own_standard_streams(&identity, err) < 0)
        return -1;
    if (!string_list_variable(&child->request->environment, "HOME") && setenv("HOME", identity.home, 1) < 0)
        return err_system(err, "set HOME");
    return identity_assume(child->request, &identity, err);
}

/* The environment of the new program is the agent's own from here on. */
static int set_environment(const struct start_request* request, struct err* err) {
    clearenv();
    for (size_t i = 0; i < request->environment.count; i++)
        if (strchr(request->environment.items[i], '=') && putenv(request->environment.items[i]) != 0)
            return err_system(err, "set the environment");
    return 0;
}

static int prepare(struct child* child, char* program, size_t size, struct err* err) {
    const struct start_request* request = child->request;
    reset_signals();
    if (set_oom_score(child, err) < 0 || enter_container(child, err) < 0 ||
        set_standard_streams(child, err) < 0 || set_limits(request, err) < 0 ||
        enter_directory(child, err) < 0 || set_environment(request, err) < 0 || become_user(child, err) < 0)
        return -1;
    return path_lookup(request->arguments.items[0], getenv("PATH"), program, size, err);
}

static int execute(const struct child* child, const char* program, struct err* err) {
    const struct report ready = {.type = REPORT_READY, .pid = getpid()};
    if (report_send(child->report, &ready, -1) < 0)
        return err_system(err, "report to the agent");
    if (has(child, HRUN_START_REAPER) && container_init_split(has(child, HRUN_START_TTY)) < 0)
        return err_system(err, "start the command below init");
    execve(program, child->request->arguments.items, environ);
    int number = errno;
    /* The file is there: ENOENT speaks of its interpreter. */
    uint32_t kind = number == ENOENT ? HRUN_ERROR_NOT_FOUND : HRUN_ERROR_NOT_EXECUTABLE;
    return err_set(err, kind, number, "exec %s: %s", program, strerror(number));
}

/* Not a command, but the agent's own answer; the report ends first, for the list may be longer than a pipe is deep. */
static int list_processes(struct child* child, struct err* err) {
    const struct report ready = {.type = REPORT_READY, .pid = getpid()};
    reset_signals();
    if (set_standard_streams(child, err) < 0)
        return -1;
    if (report_send(child->report, &ready, -1) < 0)
        return err_system(err, "report to the agent");
    close(child->report);
    process_list_print(child->container->group);
    _exit(0);
}

static void close_between(int from, int to) {
    if (from < to)
        syscall(SYS_close_range, from, to - 1, 0);
}

/* This process stays the agent's program: what the agent holds for others must not live on in it. */
static void close_all_but(int one, int other) {
    int low = one < other ? one : other;
    int high = one < other ? other : one;
    close_between(STDERR_FILENO + 1, low);
    close_between(low < STDERR_FILENO ? STDERR_FILENO + 1 : low + 1, high);
    syscall(SYS_close_range, high + 1, UINT32_MAX, 0);
}

/* Nor is this a command. What fails from here on is said on standard error, like any program does. */
static int serve_archive(struct child* child, struct err* err) {
    const struct report ready = {.type = REPORT_READY, .pid = getpid()};
    struct archive archive;
    reset_signals();
    if (set_standard_streams(child, err) < 0)
        return -1;
    close_all_but(child->report, child->container->init_pidfd);
    if (archive_open(&archive, child->container, child->request, err) < 0)
        return -1;
    if (report_send(child->report, &ready, -1) < 0)
        return err_system(err, "report to the agent");
    close(child->report);
    if (archive_serve(&archive, err) == 0)
        _exit(0);
    dprintf(STDERR_FILENO, "%s", err->text);
    _exit(1);
}

_Noreturn void child_run(struct child* child) {
    struct report report = {.type = REPORT_ERROR};
    char program[PATH_MAX];
    if (child->request->archive)
        serve_archive(child, &report.err);
    else if (has(child, HRUN_START_PROCESSES))
        list_processes(child, &report.err);
    else if (prepare(child, program, sizeof(program), &report.err) == 0)
        execute(child, program, &report.err);
    if (report.err.kind == 0)
        report.err.kind = HRUN_ERROR_START;
    report_send(child->report, &report, -1);
    _exit(127);
}
