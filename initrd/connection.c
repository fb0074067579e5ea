/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void watch(struct connection* connection) {
    uint32_t events = EPOLLIN | (connection->blocked ? EPOLLOUT : 0);
    if (loop_watch(connection->loop, &connection->source, events) < 0)
        connection->finished = true;
}

void connection_close(struct connection* connection) {
    if (connection->source.fd < 0)
        return;
    loop_close(connection->loop, &connection->source);
    frame_reader_free(&connection->in);
    frame_queue_free(&connection->out);
    connection->events->lost(connection);
    connection->events->closed(connection);
}

/* Sends what can be sent. False when the connection is dead. */
static bool flush(struct connection* connection) {
    if (frame_queue_flush(&connection->out, connection->source.fd) < 0)
        return false;
    if (connection->finished && !connection->half_closed && frame_queue_empty(&connection->out)) {
        connection->half_closed = true;
        shutdown(connection->source.fd, SHUT_WR);
    }
    return true;
}

void connection_flush(struct connection* connection) {
    if (connection->source.fd < 0)
        return;
    /* A dead connection is closed by its own event, never below a caller that still uses it. */
    if (!flush(connection))
        connection->out.start = connection->out.end = 0;
    if (!frame_queue_empty(&connection->out))
        connection->blocked = true;
    watch(connection);
}

bool connection_send(struct connection* connection, uint8_t type, uint8_t stream, const void* payload,
                     size_t length) {
    if (connection->finished)
        return true;
    if (!frame_queue_put(&connection->out, type, stream, payload, length))
        return false;
    connection_flush(connection);
    return true;
}

void connection_fail(struct connection* connection, const struct err* err) {
    uint8_t payload[sizeof(struct hrun_error) + ERR_TEXT_SIZE];
    struct hrun_error head = {err->kind, (uint32_t)err->number};
    size_t length = strnlen(err->text, ERR_TEXT_SIZE);
    memcpy(payload, &head, sizeof(head));
    memcpy(payload + sizeof(head), err->text, length);
    connection_send(connection, HRUN_ERROR, 0, payload, sizeof(head) + length);
    connection_finish(connection);
}

void connection_finish(struct connection* connection) {
    connection->finished = true;
    connection_flush(connection);
    connection->events->lost(connection);
}

/* HELLO comes first, and once. */
static int greet(struct connection* connection, const struct frame* frame, struct err* err) {
    struct hrun_hello hello;
    if (frame->type != HRUN_HELLO || connection->greeted)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "HELLO must be the first frame, and only it");
    memcpy(&hello, frame->payload, sizeof(hello));
    if (hello.magic != HRUN_PROTOCOL_MAGIC || hello.version != HRUN_PROTOCOL_VERSION || hello.reserved != 0)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTONOSUPPORT,
                       "the guest speaks version %d of the protocol, the host version %d",
                       HRUN_PROTOCOL_VERSION, hello.version);
    connection->greeted = true;
    connection_send(connection, HRUN_HELLO, 0, &hello, sizeof(hello));
    return 0;
}

static int handle(struct connection* connection, const struct frame* frame, struct err* err) {
    if (frame->type == HRUN_HELLO || !connection->greeted)
        return greet(connection, frame, err);
    return connection->events->frame(connection, frame, err);
}

/* Hands on every whole frame. */
static void dispatch(struct connection* connection) {
    struct frame frame;
    struct err err = {0};
    int result;
    while (!connection->finished && (result = frame_reader_next(&connection->in, &frame, &err)) != 0) {
        if (result > 0)
            result = handle(connection, &frame, &err);
        if (result < 0)
            connection_fail(connection, &err);
    }
}

/* Reads once. False at the end of the connection. */
static bool receive(struct connection* connection) {
    struct err err = {0};
    uint8_t* at;
    if (connection->finished)
        connection->in.start = connection->in.end = 0;
    ssize_t space = frame_reader_space(&connection->in, &at, &err);
    if (space < 0)
        return false;
    ssize_t count = read(connection->source.fd, at, (size_t)space);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR;
    if (count == 0)
        return false;
    frame_reader_filled(&connection->in, (size_t)count);
    dispatch(connection);
    return true;
}

static void ready(struct source* source, uint32_t events) {
    struct connection* connection = owner_of(source, struct connection, source);
    if (events & EPOLLOUT) {
        connection->blocked = false;
        if (!flush(connection)) {
            connection_close(connection);
            return;
        }
        connection->events->room(connection);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !receive(connection)) {
        connection_close(connection);
        return;
    }
    connection_flush(connection);
}

int connection_open(struct connection* connection, struct loop* loop, int fd, struct err* err) {
    connection->loop = loop;
    connection->source = (struct source){.fd = fd, .ready = ready};
    if (loop_watch(loop, &connection->source, EPOLLIN) < 0)
        return err_system(err, "watch a connection");
    return 0;
}
