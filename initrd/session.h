/* SPDX-License-Identifier: Apache-2.0
 *
 * A process in the container and its streams, from START to EXIT.
 */
#ifndef HRUN_SESSION_H
#define HRUN_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "connection.h"
#include "container.h"
#include "input.h"
#include "output.h"

enum session_state {
    SESSION_STARTING, /* between clone and execve */
    SESSION_RUNNING,
    SESSION_ENDED,  /* the process is reaped; output may still be on its way */
    SESSION_CLOSED, /* EXIT or ERROR was sent */
};

struct session {
    enum session_state state;
    struct loop* loop;
    struct container* container;
    struct connection* connection; /* NULL once the host has gone */
    bool init;                     /* the container's own process */
    bool terminal;
    bool detached;         /* goes on without the host: what a terminal shows then is dropped */
    bool froze;            /* the container stands still for it */
    bool held;             /* nothing is said to the host: see session_hold */
    bool archive;          /* the agent's own work, which ends with the connection */
    pid_t pid;             /* in the agent's pid namespace; 0 once reaped */
    int status;            /* as from waitpid */
    int32_t container_pid; /* from READY; 0 before */
    struct source report;  /* from the child; fd -1 when it is over */
    struct input input;
    struct output outputs[2];
    int pending[3];           /* descriptors kept until STARTED: input, output, error */
    uint64_t pending_signals; /* bit n - 1: signal n came before STARTED */
    uint16_t rows;            /* of a RESIZE that came before the terminal */
    uint16_t columns;
    uint64_t oom_kills; /* of the control group, when the session began */
    uint64_t deadline;  /* loop_now() to end a terminal's output at, or 0 */
    struct session* next;
};

/* Carries out START for a connection. Returns the new session, or NULL with err->kind set. */
struct session* session_start(struct loop* loop, struct container* container, struct connection* connection,
                              const void* payload, size_t length, struct err* err);

/* DATA, CREDIT, SIGNAL or RESIZE from the host. */
int session_frame(struct session* session, const struct frame* frame, struct err* err);

/* The connection's queue has room again. */
void session_room(struct session* session);

/* The host has gone. The process is left to what that does to its streams: end of file, a broken pipe, or a
 * terminal's hang-up. */
void session_detach(struct session* session);

/* Says nothing to the host, and takes no output, until it is let go on. */
void session_hold(struct session* session, bool held);

/* Of one that is held: its connection is gone, and another will come. */
void session_lose(struct session* session);

/* That other connection, over which the host takes `credit` bytes of output and error. Returns the bytes of input that are not
 * credited back, which the host is to be told. */
uint32_t session_adopt(struct session* session, struct connection* connection, const uint32_t credit[2]);

/* The process was reaped. */
void session_exited(struct session* session, int status);

/* To be called when loop_now() passes session->deadline. */
void session_deadline(struct session* session);

/* True once nobody needs the session any more. */
bool session_is_over(const struct session* session);

void session_free(struct session* session);

#endif
