/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

uint64_t ticks_waited;

void acknowledge(const struct virtio_queue* queue) {
    write32(queue->base + VIRTIO_INTERRUPT_ACK, read32(queue->base + VIRTIO_INTERRUPT_STATUS));
}

void wait_used(struct virtio_queue* queue, uint16_t count) {
    if (!virtio_want_interrupt(queue, count))
        return;
    const uint64_t begin = rdtsc();
    while ((uint16_t)(queue->used->index - queue->seen) < count)
        __asm__ volatile("pause" : : : "memory");
    ticks_waited += rdtsc() - begin;
    acknowledge(queue);
}
