/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a process from clone to execve.
 */
#ifndef HRUN_CHILD_H
#define HRUN_CHILD_H

#include "container.h"
#include "start_request.h"

struct child {
    const struct container* container;
    const struct start_request* request;
    int report;      /* socket to the agent */
    int standard[3]; /* what becomes its standard streams; -1 with a terminal */
};

/* In the new process: becomes what was requested. Failures are reported to the agent. */
_Noreturn void child_run(struct child* child);

#endif
