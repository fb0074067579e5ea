/* SPDX-License-Identifier: Apache-2.0
 *
 * What each frame of the host asks of the agent.
 */
#ifndef HRUN_REQUESTS_H
#define HRUN_REQUESTS_H

#include "agent.h"

/* Carries out one frame. -1 ends the connection's session with this error. */
int request_handle(struct agent* agent, struct connection* connection, const struct frame* frame,
                   struct err* err);

#endif
