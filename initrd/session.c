/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "process.h"
#include "protocol.h"
#include "pty.h"
#include "report.h"
#include "start_request.h"

#define TERMINAL_DRAIN_MS 100

static void input_consumed(struct input* input) {
    struct session* session = owner_of(input, struct session, input);
    uint32_t credit = input_credit_due(input);
    if (credit == 0 || !session->connection || session->held)
        return;
    if (connection_send(session->connection, HRUN_CREDIT, HRUN_STDIN, &credit, sizeof(credit)))
        input_credited(input, credit);
}

static void release(struct session* session) {
    input_stop(&session->input);
    for (int i = 0; i < 2; i++)
        if (session->outputs[i].source.fd >= 0)
            output_stop(&session->outputs[i]);
    for (int i = 0; i < 3; i++) {
        if (session->pending[i] >= 0)
            close(session->pending[i]);
        session->pending[i] = -1;
    }
}

static void fail(struct session* session, const struct err* err) {
    if (session->connection)
        connection_fail(session->connection, err);
    session->state = SESSION_CLOSED;
    loop_close(session->loop, &session->report);
    release(session);
}

static struct hrun_exit exit_of(const struct session* session) {
    int status = session->status;
    struct hrun_exit exit = {.code = (uint32_t)WEXITSTATUS(status)};
    if (WIFSIGNALED(status)) {
        exit.signal = (uint32_t)WTERMSIG(status);
        exit.code = 128 + exit.signal;
    }
    /* A shell passes its child's SIGKILL on as 137. */
    if (exit.code == 128 + SIGKILL && cgroup_oom_kills(session->container->cgroup) > session->oom_kills)
        exit.flags = HRUN_EXIT_OOM;
    return exit;
}

/* Sends EXIT once the process is reaped and all its output is queued. The init session's connection stays
 * open for SHUTDOWN, the others end. */
static void finish_if_done(struct session* session) {
    if (session->state != SESSION_ENDED || session->held || session->outputs[0].source.fd >= 0 ||
        session->outputs[1].source.fd >= 0)
        return;
    session->state = SESSION_CLOSED;
    release(session);
    if (!session->connection)
        return;
    struct hrun_exit exit = exit_of(session);
    connection_send(session->connection, HRUN_EXIT, 0, &exit, sizeof(exit));
    if (!session->init)
        connection_finish(session->connection);
}

static void output_ended(struct output* output) {
    struct session* session = owner_of(output, struct session, outputs[output->stream - HRUN_STDOUT]);
    finish_if_done(session);
}

static void connect_streams(struct session* session) {
    int* pending = session->pending;
    if (session->terminal && session->input.open)
        pending[0] = dup(pending[1]);
    for (int i = 0; i < 2; i++) {
        int fd = pending[1 + i];
        pending[1 + i] = -1;
        if (fd >= 0)
            output_connect(&session->outputs[i], session->loop, session->connection, fd);
    }
    int fd = pending[0];
    pending[0] = -1;
    if (fd >= 0)
        input_connect(&session->input, fd);
}

static void send_signals(struct session* session) {
    for (int signal = 1; signal <= 64; signal++)
        if (session->pending_signals >> (signal - 1) & 1)
            kill(session->pid, signal);
    session->pending_signals = 0;
}

/* execve succeeded. */
static void started(struct session* session) {
    uint32_t pid = (uint32_t)session->container_pid;
    session->state = SESSION_RUNNING;
    if (session->init)
        session->container->state = CONTAINER_RUNNING;
    if (!session->connection && !session->detached) {
        release(session);
        return;
    }
    if (session->connection)
        connection_send(session->connection, HRUN_STARTED, 0, &pid, sizeof(pid));
    connect_streams(session);
    if (session->init)
        container_hold_mounts(session->container);
    if (session->pid)
        send_signals(session);
}

static void take_terminal(struct session* session, int master) {
    if (session->pending[1] >= 0 || !session->terminal) {
        close(master);
        return;
    }
    session->pending[1] = master;
    if (session->rows && session->columns)
        pty_resize(master, session->rows, session->columns);
}

/* The report ended: by execve after READY, else by the child's death. */
static void report_ended(struct session* session) {
    struct err err;
    loop_close(session->loop, &session->report);
    if (session->container_pid) {
        started(session);
        if (session->pid == 0)
            session_exited(session, session->status);
        return;
    }
    err_set(&err, HRUN_ERROR_START, 0, "the process was killed before it could start the command");
    fail(session, &err);
}

static void report_ready(struct source* source, uint32_t events) {
    struct session* session = owner_of(source, struct session, report);
    struct report report;
    int descriptor;
    (void)events;
    int result = report_receive(session->report.fd, &report, &descriptor);
    if (result < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (result <= 0) {
        report_ended(session);
        return;
    }
    if (descriptor >= 0)
        take_terminal(session, descriptor);
    if (report.type == REPORT_READY)
        session->container_pid = report.pid;
    if (report.type == REPORT_ERROR)
        fail(session, &report.err);
}

static struct session* make(struct loop* loop, struct container* container, struct connection* connection,
                            const struct start_request* request) {
    uint32_t flags = request->flags;
    struct session* session = calloc(1, sizeof(*session));
    if (!session)
        return NULL;
    session->loop = loop;
    session->container = container;
    session->connection = connection;
    session->init = flags & HRUN_START_INIT_SESSION;
    session->terminal = flags & HRUN_START_TTY;
    session->detached = flags & HRUN_START_DETACHED;
    session->archive = request->archive != 0;
    session->report.fd = -1;
    session->input = (struct input){.source.fd = -1,
                                    .loop = loop,
                                    .open = flags & HRUN_START_STDIN,
                                    .terminal = session->terminal,
                                    .consumed_more = input_consumed};
    for (int i = 0; i < 2; i++)
        session->outputs[i] = (struct output){.source.fd = -1,
                                              .loop = loop,
                                              .connection = connection,
                                              .stream = (uint8_t)(HRUN_STDOUT + i),
                                              .credit = HRUN_INITIAL_CREDIT,
                                              .ended = output_ended};
    for (int i = 0; i < 3; i++)
        session->pending[i] = -1;
    return session;
}

static int check_state(const struct container* container, const struct start_request* request,
                       struct err* err) {
    bool init = request->flags & HRUN_START_INIT_SESSION;
    if (request->archive)
        return container->mounted ? 0
                                  : err_set(err, HRUN_ERROR_START, ESRCH, "the container has no files yet");
    if (init && container->state != CONTAINER_CONFIGURED)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "START of the container out of turn");
    if (!init && container->state != CONTAINER_RUNNING)
        return err_set(err, HRUN_ERROR_START, ESRCH, "the container is not running");
    return 0;
}

/* Clones the process and waits for its report. */
static int launch(struct session* session, const struct start_request* request, struct err* err) {
    struct container* container = session->container;
    struct process process;
    session->oom_kills = cgroup_oom_kills(container->cgroup);
    if (process_start(container, request, &process, err) < 0)
        return -1;
    if (session->init)
        container->state = CONTAINER_STARTING;
    session->pid = process.pid;
    session->pending[0] = process.input;
    session->pending[1] = process.output;
    session->pending[2] = process.error;
    session->report = (struct source){.fd = process.report, .ready = report_ready};
    return loop_watch(session->loop, &session->report, EPOLLIN) < 0 ? err_system(err, "watch a process") : 0;
}

/* For as long as the session lasts, unless the host has it stand still already. */
static int stand_still(struct session* session, uint32_t flags, struct err* err) {
    struct container* container = session->container;
    if (!(flags & HRUN_START_FROZEN) || container->state != CONTAINER_RUNNING ||
        cgroup_is_frozen(container->cgroup))
        return 0;
    session->froze = true;
    return cgroup_freeze(container->cgroup, true, err);
}

static void let_go_on(struct session* session) {
    struct err ignored;
    if (session->froze)
        cgroup_freeze(session->container->cgroup, false, &ignored);
    session->froze = false;
}

struct session* session_start(struct loop* loop, struct container* container, struct connection* connection,
                              const void* payload, size_t length, struct err* err) {
    struct start_request request = {0};
    struct session* session = NULL;
    int result = start_request_parse(payload, length, &request, err);
    if (result == 0)
        result = check_state(container, &request, err);
    if (result == 0) {
        session = make(loop, container, connection, &request);
        result = session ? stand_still(session, request.flags, err) : err_system(err, "start a session");
        if (result == 0)
            result = launch(session, &request, err);
        if (result < 0 && session)
            let_go_on(session);
    }
    start_request_free(&request);
    if (result == 0)
        return session;
    err->kind = err->kind ? err->kind : HRUN_ERROR_START;
    free(session);
    return NULL;
}

static int receive_signal(struct session* session, uint32_t signal, struct err* err) {
    if (signal == 0 || signal > 64)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "signal %u does not exist", signal);
    if (session->state == SESSION_STARTING)
        session->pending_signals |= UINT64_C(1) << (signal - 1);
    else if (session->pid)
        kill(session->pid, (int)signal);
    return 0;
}

static int receive_resize(struct session* session, const uint16_t size[2], struct err* err) {
    if (!session->terminal)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "RESIZE of a session without a terminal");
    session->rows = size[0];
    session->columns = size[1];
    int master = session->outputs[0].source.fd >= 0 ? session->outputs[0].source.fd : session->pending[1];
    if (master >= 0)
        pty_resize(master, size[0], size[1]);
    return 0;
}

static int receive_credit(struct session* session, const struct frame* frame, struct err* err) {
    uint32_t credit;
    if (frame->stream == HRUN_STDIN)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "CREDIT for standard input from the host");
    memcpy(&credit, frame->payload, sizeof(credit));
    return output_add_credit(&session->outputs[frame->stream - HRUN_STDOUT], credit, err);
}

int session_frame(struct session* session, const struct frame* frame, struct err* err) {
    uint32_t number;
    uint16_t size[2];
    switch (frame->type) {
    case HRUN_DATA:
        return input_receive(&session->input, frame->payload, frame->length, err);
    case HRUN_CREDIT:
        return receive_credit(session, frame, err);
    case HRUN_SIGNAL:
        memcpy(&number, frame->payload, sizeof(number));
        return receive_signal(session, number, err);
    case HRUN_RESIZE:
        memcpy(size, frame->payload, sizeof(size));
        return receive_resize(session, size, err);
    case HRUN_DETACH:
        session->detached = true;
        return 0;
    default:
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "frame type %u in a session", frame->type);
    }
}

void session_room(struct session* session) {
    for (int i = 0; i < 2; i++)
        output_pump(&session->outputs[i]);
    input_consumed(&session->input);
}

void session_detach(struct session* session) {
    session->connection = NULL;
    if (session->archive && session->pid)
        kill(session->pid, SIGKILL); /* half an archive is of no use to anybody */
    if (session->state == SESSION_STARTING)
        return;
    if (session->detached) {
        input_stop(&session->input);
        for (int i = 0; i < 2; i++)
            output_abandon(&session->outputs[i]);
    } else {
        release(session);
    }
    finish_if_done(session);
}

void session_hold(struct session* session, bool held) {
    session->held = held;
    for (int i = 0; i < 2; i++)
        output_hold(&session->outputs[i], held);
    if (held)
        return;
    input_consumed(&session->input);
    finish_if_done(session);
}

void session_lose(struct session* session) {
    session->connection = NULL;
    for (int i = 0; i < 2; i++)
        output_adopt(&session->outputs[i], NULL, 0);
}

uint32_t session_adopt(struct session* session, struct connection* connection, const uint32_t credit[2]) {
    if (session->connection)
        session->connection->session = NULL;
    session->connection = connection;
    connection->session = session;
    for (int i = 0; i < 2; i++)
        output_adopt(&session->outputs[i], connection, credit[i]);
    input_credited(&session->input, session->input.consumed);
    return session->input.outstanding;
}

void session_exited(struct session* session, int status) {
    session->pid = 0;
    session->status = status;
    let_go_on(session);
    if (session->init)
        session->container->state = CONTAINER_GONE;
    if (session->state != SESSION_RUNNING)
        return;
    session->state = SESSION_ENDED;
    input_stop(&session->input);
    if (session->terminal)
        session->deadline = loop_now() + TERMINAL_DRAIN_MS;
    for (int i = 0; i < 2 && !session->terminal; i++)
        output_bound(&session->outputs[i]);
    finish_if_done(session);
}

/* A terminal that a process outside the session still holds has no end of file: it ends when it is silent. */
void session_deadline(struct session* session) {
    session->deadline = loop_now() + TERMINAL_DRAIN_MS;
    if (output_pump(&session->outputs[0]))
        output_finish(&session->outputs[0]);
    if (session->state == SESSION_CLOSED)
        session->deadline = 0;
}

bool session_is_over(const struct session* session) {
    return session->state == SESSION_CLOSED && session->pid == 0;
}

void session_free(struct session* session) {
    loop_close(session->loop, &session->report);
    release(session);
    if (session->connection)
        session->connection->session = NULL;
    free(session);
}
