/* SPDX-License-Identifier: Apache-2.0
 *
 * Standing still while the host saves the machine, and going on in it or in one that was restored from what was saved
 * (docs/checkpoint.md). The vsock device is taken out of the machine before that, for nobody can save it, and is another one
 * afterwards: every connection is lost, and the container's own process gets a new one.
 */
#ifndef HRUN_SUSPEND_H
#define HRUN_SUSPEND_H

#include <stdint.h>

#include "connection.h"
#include "err.h"

struct agent;

struct suspend {
    enum { SUSPEND_NONE, SUSPEND_HELD, SUSPEND_UNBOUND, SUSPEND_REBOUND } step;
    uint32_t slot; /* of the vsock device */
};

/* SUSPEND: from SUSPENDED on neither a process runs nor is anything said. A machine without a container goes on by itself. */
int suspend_begin(struct agent* agent, struct connection* connection, const struct frame* frame,
                  struct err* err);

/* WAKE: clock and random numbers are set before a process goes on. */
int suspend_end(struct agent* agent, struct connection* connection, const struct frame* frame,
                struct err* err);

/* The machine ends instead: nobody is left to say anything to. */
void suspend_forget(struct agent* agent);

/* loop_now() at which suspend_tend() wants to be called, or 0. */
uint64_t suspend_deadline(const struct agent* agent);

/* Takes up the new vsock device once it is there. */
void suspend_tend(struct agent* agent);

#endif
