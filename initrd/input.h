/* SPDX-License-Identifier: Apache-2.0
 *
 * From the host to a process's standard input: what was credited is kept until the process takes it.
 */
#ifndef HRUN_INPUT_H
#define HRUN_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "loop.h"

struct input {
    struct source source; /* pipe or terminal; fd -1 before it is there and after it is closed */
    struct loop* loop;
    uint8_t* ring; /* HRUN_INITIAL_CREDIT bytes, made when first needed */
    size_t start;
    size_t count;
    uint32_t outstanding; /* bytes received that were not credited back */
    uint32_t consumed;    /* of these, bytes the process took, or nobody ever will */
    bool open;            /* the session has a standard input */
    bool ended;           /* the host sent end of file */
    bool gone;            /* nothing reads it any more: bytes are dropped */
    bool terminal;
    bool mid_line; /* the last byte written was not a newline */
    void (*consumed_more)(struct input* input);
};

/* Takes DATA from the host; `length` 0 is end of file. Fails when the host breaks the contract. */
int input_receive(struct input* input, const uint8_t* data, size_t length, struct err* err);

/* Gives the input its descriptor, which is owned from now on, and writes what waits. */
void input_connect(struct input* input, int fd);

/* Drops everything, now and later. */
void input_stop(struct input* input);

/* Bytes to credit to the host now; 0 until it is worth a frame. */
uint32_t input_credit_due(const struct input* input);

/* Says that `credit` bytes were credited. */
void input_credited(struct input* input, uint32_t credit);

#endif
