/* SPDX-License-Identifier: Apache-2.0
 * A virtio-mmio driver (virtio 1.2, 4.2) with one split queue structure per queue; indirect descriptors and EVENT_IDX
 * for those who ask for them, polling or interrupts as the guest likes. Hostile guests write the rings themselves. */
#pragma once

#include "guest.h"

#define VIRTIO_BASE 0xd0000fa0u
#define VIRTIO_SLOT_SIZE 0x2000u
#define VIRTIO_FIRST_LINE 5
#define VIRTIO_INDIRECT_BUFFERS 16 /* most of an indirect chain */

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
    VIRTIO_CONFIG_GENERATION = 0xfc,
    VIRTIO_CONFIG = 0x100,
};

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
};

#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_DESC_NEXT 1
#define VIRTIO_DESC_WRITE 2
#define VIRTIO_DESC_INDIRECT 4
#define VIRTIO_USED_NO_NOTIFY 1

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
    uint16_t announced; /* of the available index, at the last look at the device's wishes */
    bool event_idx;
    struct virtio_descriptor* indirect; /* VIRTIO_INDIRECT_BUFFERS for each entry; null without the feature */
    struct virtio_descriptor* descriptors;
    volatile struct virtio_avail* avail;
    volatile struct virtio_used* used;
};

struct virtio_buffer {
    void* data;
    uint32_t length;
    bool device_writes;
};

/* Where the machine has its slots. */
struct virtio_slots {
    uint32_t base, size, first_line;
};
extern struct virtio_slots virtio_slots;

static inline uint32_t virtio_base(unsigned slot) {
    return virtio_slots.base + slot * virtio_slots.size;
}

/* What the host half asks for: INDIRECT_DESC and EVENT_IDX when it has put the word "rings" on the command line. */
uint64_t virtio_ring_features(const uint8_t* zero_page);
/* Checks identity, resets, negotiates `wanted` (and VERSION_1) out of what is offered. Returns the agreed features. */
uint64_t virtio_negotiate(unsigned slot, uint32_t device_id, uint64_t wanted);
/* Sets up a queue of `size` entries, between negotiate and driver_ok. */
void virtio_setup_queue(struct virtio_queue* queue, unsigned slot, uint16_t number, uint16_t size);
/* Has the queue use what was agreed of INDIRECT_DESC and EVENT_IDX. */
void virtio_use_features(struct virtio_queue* queue, uint64_t features);
void virtio_driver_ok(unsigned slot);

/* Puts one chain on the ring; returns its head. */
uint16_t virtio_add(struct virtio_queue* queue, const struct virtio_buffer* buffers, unsigned count);
void virtio_notify(const struct virtio_queue* queue);
/* Notifies unless the device has said that it need not know (2.7.10). Returns whether it did. */
bool virtio_notify_if_wanted(struct virtio_queue* queue);
/* Asks for an interrupt once `count` more chains than were taken are used (2.7.7; exactly so with EVENT_IDX). False when
 * they are already: no interrupt need come. */
bool virtio_want_interrupt(struct virtio_queue* queue, uint16_t count);
static inline bool virtio_has_used(const struct virtio_queue* queue) {
    return queue->used->index != queue->seen;
}
/* Takes the next used chain, spinning until there is one. `head` may be null. Returns the bytes written. */
uint32_t virtio_take(struct virtio_queue* queue, uint32_t* head);

/* The first buffer of the chain that was added as `head`. */
void* virtio_first_buffer(const struct virtio_queue* queue, uint32_t head);

/* Routes the slot's interrupt to this processor; the handler counts and acknowledges. */
void virtio_interrupt(unsigned slot, uint8_t vector, interrupt_handler handler);
/* In the handler: what it was (bit 0 queue, bit 1 configuration). */
uint32_t virtio_acknowledge(unsigned slot);
