/* SPDX-License-Identifier: Apache-2.0
 * Frames of the largest size that is not segmented, of the two Ethertypes for local experiments: what is sent as ECHOED comes back from the
 * host as often as it says, what is sent as DROPPED ends there. Descriptors are written once: frame N of a queue always uses descriptor N. */
#include "bench.h"

#define NET 1
#define QUEUE_SIZE 64
#define MOST 16
#define NEVER 0x4000  /* more than a run sends */
#define ECHOED 0xb588 /* 0x88b5, 0x88b6: big endian */
#define DROPPED 0xb688

struct frame {
    struct {
        uint8_t flags, gso_type;
        uint16_t header_length, gso_size, csum_start, csum_offset, buffers;
    } header;
    uint8_t to[6], from[6];
    uint16_t type;
    uint32_t copies, at_once; /* of an ECHOED one: what comes back, and how many before the host pauses */
    uint8_t payload[1492];
} __attribute__((packed));

static struct virtio_queue rx, tx;
static struct frame *incoming, *outgoing;
static bool alone;

static void describe(struct virtio_queue* queue, struct frame* frames, uint16_t flags) {
    for (unsigned i = 0; i < MOST; ++i)
        queue->descriptors[i] = (struct virtio_descriptor){(uintptr_t)&frames[i], sizeof *frames, flags, 0};
}

/* Makes the frames that `heads` names available, or the first `count`. */
static void submit(struct virtio_queue* queue, const uint16_t* heads, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
        queue->avail->ring[(queue->avail->index + i) & (QUEUE_SIZE - 1)] = heads ? heads[i] : (uint16_t)i;
    __asm__ volatile("" : : : "memory");
    queue->avail->index = (uint16_t)(queue->avail->index + count);
    virtio_notify_if_wanted(queue);
}

void net_init(void) {
    const uint64_t features = virtio_negotiate(NET_SLOT, NET, VIRTIO_F_EVENT_IDX);
    virtio_setup_queue(&rx, NET_SLOT, 0, QUEUE_SIZE);
    virtio_setup_queue(&tx, NET_SLOT, 1, QUEUE_SIZE);
    virtio_use_features(&rx, features);
    virtio_use_features(&tx, features);
    virtio_interrupt(NET_SLOT, NET_VECTOR, apic_eoi);
    virtio_driver_ok(NET_SLOT);
    incoming = allocate_pages((MOST * sizeof *incoming + 4095) / 4096);
    outgoing = allocate_pages((MOST * sizeof *outgoing + 4095) / 4096);
    describe(&rx, incoming, VIRTIO_DESC_WRITE);
    describe(&tx, outgoing, 0);
    submit(&rx, NULL, MOST);
}

static void write_frames(uint16_t type, uint32_t copies, uint32_t at_once) {
    for (unsigned i = 0; i < MOST; ++i)
        outgoing[i] = (struct frame){.to = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                                     .from = {2},
                                     .type = type,
                                     .copies = copies,
                                     .at_once = at_once};
}

static void post(unsigned count) {
    submit(&tx, NULL, count);
    if (alone)
        stand_in_use(&tx, count, 0);
}

/* The frames have left. */
static void send(unsigned count) {
    post(count);
    wait_used(&tx, (uint16_t)count);
    tx.seen = (uint16_t)(tx.seen + count);
}

/* The frames have come. */
static void receive(unsigned count) {
    if (alone)
        stand_in_use(&rx, count, sizeof(struct frame));
    wait_used(&rx, (uint16_t)count);
    uint16_t heads[MOST];
    for (unsigned i = 0; i < count; ++i) {
        uint32_t head;
        CHECK(virtio_take(&rx, &head) == sizeof(struct frame));
        CHECK(alone || incoming[head].type == ECHOED);
        heads[i] = (uint16_t)head;
    }
    submit(&rx, heads, count);
}

/* The frames have come back. */
static void exchange(unsigned count) {
    post(count);
    receive(count);
}

/* What was sent by the last run has left. */
static void settle(void) {
    while (tx.used->index != tx.avail->index)
        __asm__ volatile("pause" : : : "memory");
    tx.seen = tx.used->index;
    acknowledge(&tx); /* of what came since the last run: a line that stays up has no edge */
}

static void transfer(char what, uint32_t count, unsigned depth) {
    if (what != 't')
        virtio_want_interrupt(&tx, NEVER);
    if (what == 'f')
        post(1); /* one for all that come */
    void (*const step)(unsigned) = what == 't' ? send : what == 'f' ? receive : exchange;
    for (uint32_t done = 0; done < count; done += depth)
        step(depth);
}

void net_run(struct run run) {
    const char what = run.what | 0x20;
    const unsigned depth = run.what < 'a' ? MOST : 1;
    struct stand_in saved_rx, saved_tx;
    settle();
    write_frames(what == 't' ? DROPPED : ECHOED, what == 'f' ? run.count : 1, depth);
    alone = run.alone;
    if (alone) {
        stand_in_begin(&saved_rx, &rx);
        stand_in_begin(&saved_tx, &tx);
    }
    transfer(what, run.count, depth);
    if (alone) {
        stand_in_end(&saved_rx, &rx);
        stand_in_end(&saved_tx, &tx);
    }
}
