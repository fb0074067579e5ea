/* SPDX-License-Identifier: Apache-2.0
 *
 * From a process's standard output or error to the host: read only when it may be sent.
 */
#ifndef HRUN_OUTPUT_H
#define HRUN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "loop.h"

struct output {
    struct source source; /* pipe or terminal; fd -1 when there is none (any more) */
    struct loop* loop;
    struct connection* connection; /* NULL: nobody is there, what comes is dropped */
    uint8_t stream;
    uint32_t credit; /* bytes the host still takes */
    bool held;       /* nothing is read: see output_hold */
    bool bounded;    /* the process has ended: only what was written by then still counts */
    size_t left;     /* bytes of that */
    void (*ended)(struct output* output);
};

/* Starts to send what comes from `fd`, which is owned from now on. */
void output_connect(struct output* output, struct loop* loop, struct connection* connection, int fd);

/* Reads and sends what credit, queue and descriptor allow, then waits for whichever is missing. Returns true
 * if it stopped for lack of data. */
bool output_pump(struct output* output);

/* The host credits bytes. Fails when they are more than it can have received. */
int output_add_credit(struct output* output, uint32_t credit, struct err* err);

/* The process has ended: its pipe ends after what is in it now, whoever else holds it open. */
void output_bound(struct output* output);

/* The host has gone and wants nothing more: what still comes is dropped, so that its writer goes on. */
void output_abandon(struct output* output);

/* Leaves what comes where it is, until it is let go on. */
void output_hold(struct output* output, bool held);

/* The connection is another: with `credit` bytes that the host takes. */
void output_adopt(struct output* output, struct connection* connection, uint32_t credit);

/* Sends end of file and closes. */
void output_finish(struct output* output);

/* Closes without a word. */
void output_stop(struct output* output);

#endif
