/* SPDX-License-Identifier: Apache-2.0
 * A virtio-mmio driver (virtio 1.2, 4.2) with one split queue structure per queue; no indirect descriptors, polling or
 * interrupts as the guest likes. Hostile guests write the rings themselves. */
#pragma once

#include "guest.h"

#define VIRTIO_BASE 0xd0000000u
#define VIRTIO_SLOT_SIZE 0x1000u
#define VIRTIO_FIRST_LINE 5

enum virtio_register {
    VIRTIO_MAGIC = 0x00,
    VIRTIO_VERSION = 0x04,
    VIRTIO_DEVICE_ID = 0x08,
    VIRTIO_DEVICE_FEATURES = 0x10,
    VIRTIO_DEVICE_FEATURES_SEL = 0x14,
    VIRTIO_DRIVER_FEATURES = 0x20,
    VIRTIO_DRIVER_FEATURES_SEL = 0x24,
    VIRTIO_QUEUE_SEL = 0x30,
    VIRTIO_QUEUE_NUM_MAX = 0x34,
    VIRTIO_QUEUE_NUM = 0x38,
    VIRTIO_QUEUE_READY = 0x44,
    VIRTIO_QUEUE_NOTIFY = 0x50,
    VIRTIO_INTERRUPT_STATUS = 0x60,
    VIRTIO_INTERRUPT_ACK = 0x64,
    VIRTIO_STATUS = 0x70,
    VIRTIO_QUEUE_DESC = 0x80,
    VIRTIO_QUEUE_DRIVER = 0x90,
    VIRTIO_QUEUE_DEVICE = 0xa0,
    VIRTIO_CONFIG = 0x100,
};

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
};

#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_DESC_NEXT 1
#define VIRTIO_DESC_WRITE 2
#define VIRTIO_DESC_INDIRECT 4

struct virtio_descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};

struct virtio_avail {
    uint16_t flags;
    uint16_t index;
    uint16_t ring[];
};

struct virtio_used {
    uint16_t flags;
    uint16_t index;
    struct {
        uint32_t id;
        uint32_t length;
    } ring[];
};

struct virtio_queue {
    uint32_t base; /* of the device's registers */
    uint16_t number;
    uint16_t size;
    uint16_t next_free; /* descriptors are handed out round robin: callers keep few in flight */
    uint16_t seen;      /* used entries taken */
    struct virtio_descriptor* descriptors;
    volatile struct virtio_avail* avail;
    volatile struct virtio_used* used;
};

struct virtio_buffer {
    void* data;
    uint32_t length;
    bool device_writes;
};

static inline uint32_t virtio_base(unsigned slot) {
    return VIRTIO_BASE + slot * VIRTIO_SLOT_SIZE;
}

/* Checks identity, resets, negotiates `wanted` (and VERSION_1) out of what is offered. Returns the agreed features. */
uint64_t virtio_negotiate(unsigned slot, uint32_t device_id, uint64_t wanted);
/* Sets up a queue of `size` entries, between negotiate and driver_ok. */
void virtio_setup_queue(struct virtio_queue* queue, unsigned slot, uint16_t number, uint16_t size);
void virtio_driver_ok(unsigned slot);

/* Puts one chain on the ring; returns its head. */
uint16_t virtio_add(struct virtio_queue* queue, const struct virtio_buffer* buffers, unsigned count);
void virtio_notify(const struct virtio_queue* queue);
static inline bool virtio_has_used(const struct virtio_queue* queue) {
    return queue->used->index != queue->seen;
}
/* Takes the next used chain, spinning until there is one. `head` may be null. Returns the bytes written. */
uint32_t virtio_take(struct virtio_queue* queue, uint32_t* head);

/* Routes the slot's interrupt to this processor; the handler counts and acknowledges. */
void virtio_interrupt(unsigned slot, uint8_t vector, interrupt_handler handler);
/* In the handler: what it was (bit 0 queue, bit 1 configuration). */
uint32_t virtio_acknowledge(unsigned slot);
