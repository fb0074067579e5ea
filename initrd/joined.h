/* SPDX-License-Identifier: Apache-2.0
 *
 * Further containers in the machine of the first, whose network and host name they share. Each is served by an agent of its own, a
 * child of this one with mounts of its own, which speaks the same protocol on a port of its own.
 */
#ifndef HRUN_JOINED_H
#define HRUN_JOINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

struct agent;
struct connection;

/* JOIN: starts the agent of a further container, which listens on `port` when this returns. It ends with the connection, at the latest. */
int joined_start(struct agent* agent, struct connection* connection, const uint32_t* slots, size_t count,
                 uint32_t* port, struct err* err);

/* PART: ends the container that a connection has brought; PARTED follows. -1 if it has brought none. */
int joined_part(struct agent* agent, struct connection* connection);

/* True for the connection of a further container. */
bool joined_owns(const struct agent* agent, const struct connection* connection);

/* A connection is gone, and with it what it has brought. */
void joined_lost(struct agent* agent, const struct connection* connection);

/* A child of the agent's was reaped. */
void joined_exited(struct agent* agent, pid_t pid);

/* Ends all of them. */
void joined_end_all(struct agent* agent);

/* loop_now() at which joined_tend() wants to be called, or 0. */
uint64_t joined_deadline(const struct agent* agent);

/* Clears up after those of which nothing runs any more. */
void joined_tend(struct agent* agent);

#endif
