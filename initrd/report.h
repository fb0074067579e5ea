/* SPDX-License-Identifier: Apache-2.0
 *
 * What a child tells the agent between clone and execve, over a close-on-exec socket: end of file after
 * READY means that execve succeeded.
 */
#ifndef HRUN_REPORT_H
#define HRUN_REPORT_H

#include <stdint.h>

#include "err.h"

enum report_type {
    REPORT_TERMINAL = 1, /* the terminal's master comes along as a descriptor */
    REPORT_READY = 2,    /* `pid` is the process in the container's pid namespace */
    REPORT_ERROR = 3,    /* `err` says what failed; nothing follows */
};

struct report {
    uint32_t type;
    int32_t pid;
    struct err err;
};

/* Sends a report, with `descriptor` unless it is -1. */
int report_send(int socket, const struct report* report, int descriptor);

/* Receives one without waiting: 1, 0 at end of file, -1 with errno. `descriptor` is -1 or the caller's. */
int report_receive(int socket, struct report* report, int* descriptor);

#endif
