/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection with the host: bytes in to frames, frames out to bytes. What the frames mean is the
 * business of its owner.
 */
#ifndef HRUN_CONNECTION_H
#define HRUN_CONNECTION_H

#include <stdbool.h>

#include "err.h"
#include "frames.h"
#include "loop.h"

struct connection;

struct connection_events {
    /* A frame arrived. -1 ends the connection's session: the error is sent to the host. */
    int (*frame)(struct connection* connection, const struct frame* frame, struct err* err);
    /* The queue has got room again. */
    void (*room)(struct connection* connection);
    /* Nothing more comes or goes, or the peer broke the contract: what the connection served ends. */
    void (*lost)(struct connection* connection);
    /* The descriptor is closed; the owner may free the connection. */
    void (*closed)(struct connection* connection);
};

struct connection {
    struct source source;
    struct loop* loop;
    struct frame_reader in;
    struct frame_queue out;
    bool greeted;     /* HELLO has come */
    bool used;        /* the owner's: it has served a session */
    bool blocked;     /* the peer took less than there was; `room` is called once it takes more */
    bool finished;    /* nothing more is sent once the queue is empty; what still comes is dropped */
    bool half_closed; /* the peer was told so */
    const struct connection_events* events;
    void* owner;
    void* session; /* the owner's */
    struct connection* next;
};

/* Takes over `fd`, which must be non-blocking, and starts to read. */
int connection_open(struct connection* connection, struct loop* loop, int fd, struct err* err);

/* Queues a frame and sends what can be sent. False when there is no room (CREDIT only). */
bool connection_send(struct connection* connection, uint8_t type, uint8_t stream, const void* payload,
                     size_t length);

/* Sends what is queued, as far as the peer takes it. */
void connection_flush(struct connection* connection);

/* Sends ERROR, then connection_finish. */
void connection_fail(struct connection* connection, const struct err* err);

/* Ends the connection from this side: what is queued is sent, then end of file. */
void connection_finish(struct connection* connection);

/* Closes at once; calls `lost` and `closed`. */
void connection_close(struct connection* connection);

#endif
