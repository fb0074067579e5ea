/* SPDX-License-Identifier: Apache-2.0
 *
 * Collects every child that has ended.
 */
#ifndef HRUN_REAPER_H
#define HRUN_REAPER_H

#include <sys/types.h>

#include "err.h"
#include "loop.h"

struct reaper {
    struct source source; /* a signalfd for SIGCHLD */
    void (*exited)(struct reaper* reaper, pid_t pid, int status);
};

/* Calls `exited` for each child that ends, from the loop. Blocks SIGCHLD. */
int reaper_open(struct reaper* reaper, struct loop* loop, struct err* err);

#endif
