/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "protocol.h"
#include "pty.h"

#define CREDIT_WORTH_A_FRAME (HRUN_INITIAL_CREDIT / 4)

void input_stop(struct input* input) {
    loop_close(input->loop, &input->source);
    free(input->ring);
    input->ring = NULL;
    input->consumed += (uint32_t)input->count;
    input->count = 0;
    input->gone = true;
    input->consumed_more(input);
}

/* Writes as much as the process takes. Returns -1 once nothing reads it any more. */
static ssize_t write_some(struct input* input, const uint8_t* data, size_t length) {
    size_t done = 0;
    while (done < length) {
        ssize_t count = write(input->source.fd, data + done, length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            break;
        if (count < 0)
            return -1;
        done += (size_t)count;
    }
    if (done > 0) {
        input->mid_line = data[done - 1] != '\n';
        input->consumed += (uint32_t)done;
    }
    return (ssize_t)done;
}

/* A terminal has no end of file but its character, which ends a line that has begun before it ends the file. */
static void end_terminal(struct input* input) {
    char eof = pty_eof_character(input->source.fd);
    const char twice[2] = {eof, eof};
    ssize_t ignored = write(input->source.fd, twice, input->mid_line ? 2 : 1);
    (void)ignored; /* a terminal that takes nothing has no reader to tell */
}

static void finish_if_ended(struct input* input) {
    if (!input->ended || input->count > 0 || input->source.fd < 0)
        return;
    if (input->terminal)
        end_terminal(input);
    input_stop(input);
}

/* Writes from the ring: at most two runs, up to its end and from its beginning. */
static void drain(struct input* input) {
    while (input->count > 0 && input->source.fd >= 0) {
        size_t run = HRUN_INITIAL_CREDIT - input->start;
        run = run < input->count ? run : input->count;
        ssize_t count = write_some(input, input->ring + input->start, run);
        if (count < 0) {
            input_stop(input);
            return;
        }
        input->start = (input->start + (size_t)count) % HRUN_INITIAL_CREDIT;
        input->count -= (size_t)count;
        if ((size_t)count < run)
            break;
    }
    loop_watch(input->loop, &input->source, input->count > 0 ? EPOLLOUT : 0);
    finish_if_ended(input);
    input->consumed_more(input);
}

static int keep(struct input* input, const uint8_t* data, size_t length, struct err* err) {
    if (length == 0)
        return 0;
    if (!input->ring)
        input->ring = malloc(HRUN_INITIAL_CREDIT);
    if (!input->ring)
        return err_system(err, "keep standard input");
    size_t end = (input->start + input->count) % HRUN_INITIAL_CREDIT;
    size_t first = HRUN_INITIAL_CREDIT - end;
    first = first < length ? first : length;
    memcpy(input->ring + end, data, first);
    memcpy(input->ring, data + first, length - first);
    input->count += length;
    return 0;
}

static int check(const struct input* input, size_t length, struct err* err) {
    if (!input->open || input->ended)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "DATA for a standard input that is not open");
    if (length > HRUN_INITIAL_CREDIT - input->outstanding)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "more standard input than was credited");
    return 0;
}

int input_receive(struct input* input, const uint8_t* data, size_t length, struct err* err) {
    if (check(input, length, err) < 0)
        return -1;
    input->ended = length == 0;
    input->outstanding += (uint32_t)length;
    if (input->gone) {
        input->consumed += (uint32_t)length;
        input->consumed_more(input);
        return 0;
    }
    /* Straight to the process while nothing waits before it. */
    if (input->count == 0 && input->source.fd >= 0) {
        ssize_t count = write_some(input, data, length);
        if (count < 0) {
            input->consumed += (uint32_t)length;
            input_stop(input);
            return 0;
        }
        data += count;
        length -= (size_t)count;
    }
    if (keep(input, data, length, err) < 0)
        return -1;
    drain(input);
    return 0;
}

static void ready(struct source* source, uint32_t events) {
    (void)events;
    drain(owner_of(source, struct input, source));
}

void input_connect(struct input* input, int fd) {
    input->source = (struct source){.fd = fd, .ready = ready};
    drain(input);
}

uint32_t input_credit_due(const struct input* input) {
    return input->consumed >= CREDIT_WORTH_A_FRAME ? input->consumed : 0;
}

void input_credited(struct input* input, uint32_t credit) {
    input->consumed -= credit;
    input->outstanding -= credit;
}
