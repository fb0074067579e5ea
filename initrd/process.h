/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a process in the container: clone into the right namespaces and control group, with its streams.
 */
#ifndef HRUN_PROCESS_H
#define HRUN_PROCESS_H

#include <sys/types.h>

#include "container.h"
#include "err.h"
#include "start_request.h"

/* The agent's ends; each is non-blocking, -1 if there is none, and the caller's to close. */
struct process {
    pid_t pid;  /* in the agent's pid namespace */
    int report; /* socket of struct report */
    int input;  /* pipe to its standard input */
    int output; /* pipe from its standard output */
    int error;  /* pipe from its standard error */
};

/* Starts the process of `request`; how it went comes over `report`. An init session's process becomes the
 * container's. */
int process_start(struct container* container, const struct start_request* request, struct process* process,
                  struct err* err);

#endif
