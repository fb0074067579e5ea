/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READER_CAPACITY (2 * (HRUN_MAX_DATA + FRAME_HEADER_SIZE))

struct frame_limit {
    uint32_t least;
    uint32_t most;
    uint8_t streams; /* streams 0 to streams - 1 are in range */
};

/* What the host may send; a type that is not here has `streams` 0. */
static const struct frame_limit limits[] = {
    [HRUN_HELLO] = {sizeof(struct hrun_hello), sizeof(struct hrun_hello), 1},
    [HRUN_CONFIGURE] = {0, HRUN_MAX_PAYLOAD, 1},
    [HRUN_START] = {0, HRUN_MAX_PAYLOAD, 1},
    [HRUN_DATA] = {0, HRUN_MAX_DATA, HRUN_STDIN + 1},
    [HRUN_CREDIT] = {4, 4, HRUN_STDERR + 1},
    [HRUN_SIGNAL] = {4, 4, 1},
    [HRUN_RESIZE] = {4, 4, 1},
    [HRUN_ERROR] = {sizeof(struct hrun_error), sizeof(struct hrun_error) + HRUN_MAX_MESSAGE, 1},
    [HRUN_SHUTDOWN] = {0, 0, 1},
    [HRUN_PAUSE] = {0, 0, 1},
    [HRUN_RESUME] = {0, 0, 1},
    [HRUN_USAGE] = {0, 0, 1},
    [HRUN_NETWORK] = {0, HRUN_MAX_PAYLOAD, 1},
    [HRUN_LIMIT] = {sizeof(struct hrun_limits), sizeof(struct hrun_limits), 1},
    [HRUN_DETACH] = {0, 0, 1},
    [HRUN_JOIN] = {4, 4 * (HRUN_MAX_SLOT + 1), 1},
    [HRUN_PART] = {0, 0, 1},
    [HRUN_SUSPEND] = {4, 4, 1},
    [HRUN_WAKE] = {sizeof(struct hrun_wake), HRUN_MAX_PAYLOAD, 1},
};

static int check_header(const struct hrun_frame_header* header, struct err* err) {
    if (header->type >= sizeof(limits) / sizeof(limits[0]) || limits[header->type].streams == 0)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "frame type %u is not for the guest", header->type);
    const struct frame_limit* limit = &limits[header->type];
    if (header->length < limit->least || header->length > limit->most)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "frame type %u with a length of %u", header->type,
                       header->length);
    if (header->stream >= limit->streams || header->reserved != 0)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "frame type %u on stream %u", header->type,
                       header->stream);
    return 0;
}

/* Copies the header at the reader's start out of it; the bytes need not be aligned. */
static bool peek_header(const struct frame_reader* reader, struct hrun_frame_header* header) {
    if (reader->end - reader->start < sizeof(*header))
        return false;
    memcpy(header, reader->data + reader->start, sizeof(*header));
    return true;
}

static int grow(struct frame_reader* reader, size_t capacity, struct err* err) {
    uint8_t* data = realloc(reader->data, capacity);
    if (!data)
        return err_system(err, "receive a frame");
    reader->data = data;
    reader->capacity = capacity;
    return 0;
}

ssize_t frame_reader_space(struct frame_reader* reader, uint8_t** at, struct err* err) {
    struct hrun_frame_header header;
    size_t needed = READER_CAPACITY;
    if (reader->start > 0) {
        memmove(reader->data, reader->data + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    if (peek_header(reader, &header) && FRAME_HEADER_SIZE + header.length > needed)
        needed = FRAME_HEADER_SIZE + header.length;
    if (reader->capacity < needed && grow(reader, needed, err) < 0)
        return -1;
    *at = reader->data + reader->end;
    return (ssize_t)(reader->capacity - reader->end);
}

void frame_reader_filled(struct frame_reader* reader, size_t count) {
    reader->end += count;
}

int frame_reader_next(struct frame_reader* reader, struct frame* frame, struct err* err) {
    struct hrun_frame_header header;
    if (!peek_header(reader, &header))
        return 0;
    if (check_header(&header, err) < 0)
        return -1;
    if (reader->end - reader->start - sizeof(header) < header.length)
        return 0;
    *frame = (struct frame){
        .type = header.type,
        .stream = header.stream,
        .length = header.length,
        .payload = reader->data + reader->start + sizeof(header),
    };
    reader->start += sizeof(header) + header.length;
    return 1;
}

void frame_reader_free(struct frame_reader* reader) {
    free(reader->data);
    *reader = (struct frame_reader){0};
}

#define QUEUE_RESERVE (2 * HRUN_MAX_MESSAGE)
#define QUEUE_CAPACITY (2 * (HRUN_MAX_DATA + FRAME_HEADER_SIZE) + QUEUE_RESERVE)

static size_t used(const struct frame_queue* queue) {
    return queue->end - queue->start;
}

size_t frame_queue_data_room(const struct frame_queue* queue) {
    size_t taken = used(queue) + QUEUE_RESERVE + FRAME_HEADER_SIZE;
    if (taken >= QUEUE_CAPACITY)
        return 0;
    size_t room = QUEUE_CAPACITY - taken;
    return room < HRUN_MAX_DATA ? room : HRUN_MAX_DATA;
}

/* Makes `length` bytes after `end` contiguous; the caller has checked that they fit. */
static uint8_t* contiguous(struct frame_queue* queue, size_t length) {
    if (!queue->data)
        queue->data = malloc(QUEUE_CAPACITY);
    if (!queue->data)
        return NULL;
    if (queue->start == queue->end)
        queue->start = queue->end = 0;
    if (QUEUE_CAPACITY - queue->end < length) {
        memmove(queue->data, queue->data + queue->start, used(queue));
        queue->end -= queue->start;
        queue->start = 0;
    }
    return queue->data + queue->end;
}

uint8_t* frame_queue_data_space(struct frame_queue* queue) {
    uint8_t* at = contiguous(queue, FRAME_HEADER_SIZE + frame_queue_data_room(queue));
    return at ? at + FRAME_HEADER_SIZE : NULL;
}

void frame_queue_data_filled(struct frame_queue* queue, uint8_t stream, size_t length) {
    struct hrun_frame_header header = {.length = (uint32_t)length, .type = HRUN_DATA, .stream = stream};
    memcpy(queue->data + queue->end, &header, sizeof(header));
    queue->end += sizeof(header) + length;
}

bool frame_queue_put(struct frame_queue* queue, uint8_t type, uint8_t stream, const void* payload,
                     size_t length) {
    struct hrun_frame_header header = {.length = (uint32_t)length, .type = type, .stream = stream};
    size_t limit = type == HRUN_CREDIT ? QUEUE_CAPACITY - QUEUE_RESERVE : QUEUE_CAPACITY;
    if (used(queue) + sizeof(header) + length > limit)
        return false;
    uint8_t* at = contiguous(queue, sizeof(header) + length);
    if (!at)
        return false;
    memcpy(at, &header, sizeof(header));
    if (length > 0)
        memcpy(at + sizeof(header), payload, length);
    queue->end += sizeof(header) + length;
    return true;
}

bool frame_queue_empty(const struct frame_queue* queue) {
    return queue->start == queue->end;
}

int frame_queue_flush(struct frame_queue* queue, int fd) {
    while (!frame_queue_empty(queue)) {
        ssize_t sent = send(fd, queue->data + queue->start, used(queue), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? 0 : -1;
        queue->start += (size_t)sent;
    }
    return 0;
}

void frame_queue_free(struct frame_queue* queue) {
    free(queue->data);
    *queue = (struct frame_queue){0};
}
