/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

int loop_open(struct loop* loop, struct err* err) {
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll < 0 ? err_system(err, "create the event loop") : 0;
}

int loop_watch(struct loop* loop, struct source* source, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (source->events == events || source->fd < 0)
        return 0;
    int operation = EPOLL_CTL_MOD;
    if (source->events == 0)
        operation = EPOLL_CTL_ADD;
    else if (events == 0)
        operation = EPOLL_CTL_DEL;
    if (epoll_ctl(loop->epoll, operation, source->fd, &event) < 0)
        return -1;
    source->events = events;
    return 0;
}

void loop_close(struct loop* loop, struct source* source) {
    if (source->fd < 0)
        return;
    loop_watch(loop, source, 0);
    close(source->fd);
    source->fd = -1;
}

/* One event per wait: a handler may free any source, and none is left behind in a batch. epoll serves its
 * ready list in turn, so no source starves. */
int loop_turn(struct loop* loop, int timeout_ms, struct err* err) {
    struct epoll_event event;
    int count = epoll_wait(loop->epoll, &event, 1, timeout_ms);
    if (count < 0)
        return errno == EINTR ? 0 : err_system(err, "wait for events");
    if (count > 0) {
        struct source* source = event.data.ptr;
        source->ready(source, event.events);
    }
    return 0;
}

uint64_t loop_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
