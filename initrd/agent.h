/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent as one object: who connects, what they ask for, which sessions live.
 */
#ifndef HRUN_AGENT_H
#define HRUN_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "container.h"
#include "joined.h"
#include "loop.h"
#include "reaper.h"
#include "session.h"
#include "suspend.h"

#define AGENT_MAX_CONNECTIONS 64

struct agent {
    struct loop loop;
    struct source listener;
    struct reaper reaper;
    struct container container;
    struct connection* connections; /* newest first */
    size_t connection_count;
    struct session* sessions;
    bool shutting_down;
    struct connection* shutdown_asked_by; /* NULL once it has gone */
    uint64_t shutdown_deadline;           /* loop_now() after which output is not waited for */
    struct joined* joined;                /* further containers in the machine */
    const char* unix_path;                /* of a test build's socket, else NULL */
    struct suspend suspend;
    uint64_t bind_at; /* loop_now() at which a template's copy binds the rest of its devices, or 0 */
};

/* Has the devices that nobody waits for bound a little later. */
void agent_bind_later(struct agent* agent);

/* Does at once what is still to be bound later. */
void agent_bind_now(struct agent* agent);

/* Serves `listener`, a listening descriptor, until the machine is told to stop. Returns only on an error that
 * ends the agent. */
int agent_serve(struct agent* agent, int listener, struct err* err);

#endif
