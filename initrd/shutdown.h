/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of the machine: nothing runs, everything is on the disk, the host knows, the power goes.
 */
#ifndef HRUN_SHUTDOWN_H
#define HRUN_SHUTDOWN_H

#include <stdbool.h>

#include "agent.h"

/* SHUTDOWN: kills the container. What follows happens when its last process is reaped. */
int shutdown_begin(struct agent* agent, struct connection* connection, struct err* err);

/* True when nothing runs any more and what was said was sent, or waited for long enough. */
bool shutdown_is_due(const struct agent* agent);

/* Unmounts, says SHUTDOWN_DONE and stops the machine; the agent of a further container just ends. Returns only on an error. */
int shutdown_finish(struct agent* agent, struct err* err);

#endif
