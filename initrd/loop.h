/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop: one thread, one epoll descriptor, one event at a time.
 */
#ifndef HRUN_LOOP_H
#define HRUN_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* The object a member is part of. */
#define owner_of(pointer, type, member) ((type*)((char*)(pointer)-offsetof(type, member)))

/* Something with a descriptor that gets ready. Embedded in its owner, which keeps it where it is while it is
 * watched; `fd` is -1 while there is none. */
struct source {
    int fd;
    uint32_t events; /* watched now: EPOLLIN, EPOLLOUT, or 0 */
    void (*ready)(struct source* source, uint32_t events);
};

struct loop {
    int epoll;
};

int loop_open(struct loop* loop, struct err* err);

/* Watches for these events from now on; 0 stops it, errors and hang-ups included. */
int loop_watch(struct loop* loop, struct source* source, uint32_t events);

/* Stops watching and closes the descriptor. Does nothing to a source without one. */
void loop_close(struct loop* loop, struct source* source);

/* Waits for one event and hands it to its source, or returns after `timeout_ms` (-1: never). */
int loop_turn(struct loop* loop, int timeout_ms, struct err* err);

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t loop_now(void);

#endif
