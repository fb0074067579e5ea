/* SPDX-License-Identifier: Apache-2.0
 * Descriptors are written once: request N always uses descriptors 3N to 3N + 2, so that the guest's share of the work is
 * small beside the device's. Needs no more of its disk than DISK_BYTES. */
#include "bench.h"

#define BLOCK 2
#define QUEUE_SIZE 64
#define MOST 16
#define DISK_BYTES (64u << 20)
#define SMALL 4096u

enum { IN, OUT };

struct request {
    uint32_t type, reserved;
    uint64_t sector;
    uint8_t status;
};

static struct virtio_queue queue;
static struct request* requests;
static uint8_t* data;

static bool alone;
static unsigned in_flight;

/* The device of a run without one. */
static void serve_alone(void) {
    stand_in_use(&queue, in_flight, 0);
    for (unsigned i = 0; i < in_flight; ++i)
        requests[i].status = 0;
}

void disk_init(void) {
    const uint64_t features = virtio_negotiate(DISK_SLOT, BLOCK, VIRTIO_F_EVENT_IDX);
    virtio_setup_queue(&queue, DISK_SLOT, 0, QUEUE_SIZE);
    virtio_use_features(&queue, features);
    virtio_interrupt(DISK_SLOT, DISK_VECTOR, apic_eoi);
    virtio_driver_ok(DISK_SLOT);
    requests = allocate_pages(1);
    data = allocate_pages(MOST * BULK / 4096);
}

static void describe(unsigned index, uint32_t type, uint32_t size) {
    struct virtio_descriptor* descriptors = queue.descriptors + 3 * index;
    const uint16_t first = (uint16_t)(3 * index);
    requests[index] = (struct request){type, 0, 0, 0xff};
    descriptors[0] = (struct virtio_descriptor){(uintptr_t)&requests[index], 16, VIRTIO_DESC_NEXT, first + 1};
    descriptors[1] =
        (struct virtio_descriptor){(uintptr_t)data + index * BULK, size,
                                   VIRTIO_DESC_NEXT | (type == IN ? VIRTIO_DESC_WRITE : 0), first + 2};
    descriptors[2] = (struct virtio_descriptor){(uintptr_t)&requests[index].status, 1, VIRTIO_DESC_WRITE, 0};
}

static uint64_t next_sector(uint32_t size, bool random) {
    static uint32_t at;
    at = random ? at * 1664525 + 1013904223 : at + size;
    return (at & (DISK_BYTES - 1) & ~(size - 1)) / 512;
}

static void submit(unsigned depth, uint32_t size, bool random) {
    for (unsigned i = 0; i < depth; ++i) {
        requests[i].sector = next_sector(size, random);
        requests[i].status = 0xff;
        queue.avail->ring[(queue.avail->index + i) & (QUEUE_SIZE - 1)] = (uint16_t)(3 * i);
    }
    __asm__ volatile("" : : : "memory");
    queue.avail->index = (uint16_t)(queue.avail->index + depth);
}

static void collect(unsigned depth) {
    if (alone)
        serve_alone();
    wait_used(&queue, (uint16_t)depth);
    queue.seen = (uint16_t)(queue.seen + depth);
    for (unsigned i = 0; i < depth; ++i)
        CHECK(requests[i].status == 0);
}

void disk_run(struct run run) {
    const bool deep = run.what < 'a';
    const char what = (char)(run.what | 0x20);
    const unsigned depth = deep ? MOST : 1;
    const uint32_t size = what == 's' ? BULK : SMALL;
    for (unsigned i = 0; i < depth; ++i)
        describe(i, what == 'w' ? OUT : IN, size);
    struct stand_in saved;
    alone = run.alone;
    acknowledge(&queue); /* of what came since the last run: a line that stays up has no edge */
    in_flight = depth;
    if (alone)
        stand_in_begin(&saved, &queue);
    for (uint32_t done = 0; done < run.count; done += depth) {
        submit(depth, size, what != 's');
        virtio_notify_if_wanted(&queue);
        collect(depth);
    }
    if (alone)
        stand_in_end(&saved, &queue);
}
