/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "protocol.h"

#define READS_PER_TURN 4 /* so that a busy stream leaves the loop to the others */

void output_stop(struct output* output) {
    loop_close(output->loop, &output->source);
}

void output_finish(struct output* output) {
    if (output->source.fd < 0)
        return;
    output_stop(output);
    if (output->connection)
        connection_send(output->connection, HRUN_DATA, output->stream, NULL, 0);
    output->ended(output);
}

static size_t allowed(const struct output* output) {
    size_t room = frame_queue_data_room(&output->connection->out);
    if (room > output->credit)
        room = output->credit;
    if (output->bounded && room > output->left)
        room = output->left;
    return room;
}

enum step { STEP_SENT, STEP_NO_DATA, STEP_NO_ROOM, STEP_END };

static enum step drop_some(struct output* output) {
    uint8_t dropped[4096];
    ssize_t count = read(output->source.fd, dropped, sizeof(dropped));
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return STEP_NO_DATA;
    return count <= 0 ? STEP_END : STEP_SENT;
}

/* Reads once, straight into the connection's queue. */
static enum step send_some(struct output* output) {
    if (!output->connection)
        return drop_some(output);
    if (output->bounded && output->left == 0)
        return STEP_END;
    struct frame_queue* queue = &output->connection->out;
    size_t room = allowed(output);
    uint8_t* space = room > 0 ? frame_queue_data_space(queue) : NULL;
    if (!space)
        return STEP_NO_ROOM;
    ssize_t count = read(output->source.fd, space, room);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return STEP_NO_DATA;
    /* EIO: the last process closed the terminal. */
    if (count <= 0)
        return STEP_END;
    frame_queue_data_filled(queue, output->stream, (size_t)count);
    output->credit -= (uint32_t)count;
    output->left -= output->bounded ? (size_t)count : 0;
    connection_flush(output->connection);
    return STEP_SENT;
}

bool output_pump(struct output* output) {
    enum step step = STEP_SENT;
    if (output->source.fd < 0 || output->held)
        return false;
    for (int i = 0; i < READS_PER_TURN && step == STEP_SENT; i++)
        step = send_some(output);
    if (step == STEP_END) {
        output_finish(output);
        return false;
    }
    /* Not watched while it may not be read: a hang-up would be reported again and again. */
    loop_watch(output->loop, &output->source, step == STEP_NO_ROOM ? 0 : EPOLLIN);
    return step == STEP_NO_DATA;
}

static void ready(struct source* source, uint32_t events) {
    (void)events;
    output_pump(owner_of(source, struct output, source));
}

void output_connect(struct output* output, struct loop* loop, struct connection* connection, int fd) {
    output->loop = loop;
    output->connection = connection;
    output->source = (struct source){.fd = fd, .ready = ready};
    output_pump(output);
}

int output_add_credit(struct output* output, uint32_t credit, struct err* err) {
    if (credit > HRUN_INITIAL_CREDIT - output->credit)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "%u bytes credited that were never sent", credit);
    output->credit += credit;
    output_pump(output);
    return 0;
}

void output_bound(struct output* output) {
    int waiting = 0;
    if (output->source.fd < 0 || ioctl(output->source.fd, FIONREAD, &waiting) < 0)
        return;
    output->bounded = true;
    output->left = (size_t)waiting;
    output_pump(output);
}

void output_abandon(struct output* output) {
    output->connection = NULL;
    output_pump(output);
}

void output_hold(struct output* output, bool held) {
    output->held = held;
    if (output->source.fd < 0)
        return;
    loop_watch(output->loop, &output->source, held ? 0 : EPOLLIN);
    output_pump(output);
}

void output_adopt(struct output* output, struct connection* connection, uint32_t credit) {
    output->connection = connection;
    output->credit = credit;
}
