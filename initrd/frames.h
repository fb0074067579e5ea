/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames as bytes: a strict reader over whatever arrives, and a bounded queue of what has to leave.
 * Nothing here does I/O but frame_queue_flush.
 */
#ifndef HRUN_FRAMES_H
#define HRUN_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "protocol.h"

#define FRAME_HEADER_SIZE sizeof(struct hrun_frame_header)

/* One frame as received. `payload` points into the reader and lives until its next use. */
struct frame {
    uint8_t type;
    uint8_t stream;
    uint32_t length;
    const uint8_t* payload;
};

struct frame_reader {
    uint8_t* data;
    size_t start; /* first byte not yet given out */
    size_t end;   /* one past the last byte received */
    size_t capacity;
};

/* Where the next bytes may be read to: sets `at` and returns how many fit, always more than 0.
 * Returns -1 when memory is out. */
ssize_t frame_reader_space(struct frame_reader* reader, uint8_t** at, struct err* err);

/* Says that `count` bytes were put at the place frame_reader_space gave. */
void frame_reader_filled(struct frame_reader* reader, size_t count);

/* Takes the next frame. Returns 1 with `frame` set, 0 if it is not complete yet, -1 if the peer broke the
 * contract: a type that never goes from host to guest, a length over its limit, a stream out of range. */
int frame_reader_next(struct frame_reader* reader, struct frame* frame, struct err* err);

void frame_reader_free(struct frame_reader* reader);

struct frame_queue {
    uint8_t* data;
    size_t start;
    size_t end;
};

/* Bytes of DATA payload that the queue can take now, at most HRUN_MAX_DATA. Room for the frames that end a
 * session is always held back. */
size_t frame_queue_data_room(const struct frame_queue* queue);

/* Where DATA of frame_queue_data_room bytes may be put; NULL when memory is out. */
uint8_t* frame_queue_data_space(struct frame_queue* queue);

/* Makes the `length` bytes put at frame_queue_data_space a frame. 0 is end of file. */
void frame_queue_data_filled(struct frame_queue* queue, uint8_t stream, size_t length);

/* Queues a whole frame. Returns false when there is no room: callers of CREDIT try again later, and
 * the others cannot meet it, because no session sends more of them than the reserve holds. */
bool frame_queue_put(struct frame_queue* queue, uint8_t type, uint8_t stream, const void* payload,
                     size_t length);

bool frame_queue_empty(const struct frame_queue* queue);

/* Writes what the descriptor takes. Returns -1 with errno when it failed other than by EAGAIN. */
int frame_queue_flush(struct frame_queue* queue, int fd);

void frame_queue_free(struct frame_queue* queue);

#endif
