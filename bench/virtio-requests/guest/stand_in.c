/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

void stand_in_begin(struct stand_in* saved, struct virtio_queue* queue) {
    static void* registers;
    if (!registers)
        registers = allocate_pages(1);
    *saved = (struct stand_in){*queue, queue->avail->index, queue->used->index};
    queue->base = (uint32_t)(uintptr_t)registers;
}

void stand_in_use(struct virtio_queue* queue, unsigned count, uint32_t length) {
    for (unsigned i = 0; i < count; ++i) {
        const uint16_t at = (uint16_t)(queue->used->index + i) & (queue->size - 1);
        queue->used->ring[at].id = queue->avail->ring[at];
        queue->used->ring[at].length = length;
    }
    queue->used->index = (uint16_t)(queue->used->index + count);
}

void stand_in_end(const struct stand_in* saved, struct virtio_queue* queue) {
    *queue = saved->queue;
    queue->avail->index = saved->available;
    queue->used->index = saved->used;
}
