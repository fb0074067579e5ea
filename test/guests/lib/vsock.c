/* SPDX-License-Identifier: Apache-2.0 */
#include "vsock.h"

#define DEVICE_ID 19
#define CID 3
#define WINDOW (128 * 1024u)
#define VECTOR 40

static struct virtio_queue rx, tx;
static volatile uint32_t interrupted;
static unsigned device_slot;
static uint32_t own_port, forwarded, sent, peer_forwarded, peer_window;

static void on_queue(void) {
    virtio_acknowledge(device_slot); /* may be nothing: an interrupt that the one before it has seen to */
    interrupted = 1;
}

void vsock_init(unsigned slot, uint32_t port, uint64_t ring_features) {
    device_slot = slot;
    own_port = port;
    CHECK(virtio_negotiate(slot, DEVICE_ID, ring_features) == (ring_features | VIRTIO_F_VERSION_1));
    CHECK(read32(virtio_base(slot) + VIRTIO_CONFIG) == CID);
    virtio_setup_queue(&rx, slot, 0, VSOCK_BUFFERS);
    virtio_setup_queue(&tx, slot, 1, 8);
    virtio_use_features(&rx, ring_features);
    virtio_use_features(&tx, ring_features);
    virtio_interrupt(slot, VECTOR, on_queue);
    virtio_driver_ok(slot);
    struct vsock_packet* packets = allocate_pages(VSOCK_BUFFERS * (sizeof *packets / 4096 + 1));
    for (unsigned i = 0; i < VSOCK_BUFFERS; ++i)
        vsock_post(&packets[i]);
}

void vsock_post(struct vsock_packet* packet) {
    virtio_add(&rx, (struct virtio_buffer[]){{packet, sizeof *packet, true}}, 1);
    virtio_notify_if_wanted(&rx);
}

void vsock_answer(struct vsock_packet* packet, enum vsock_operation operation, uint32_t length) {
    struct vsock_header* header = &packet->header;
    *header = (struct vsock_header){.source_cid = CID,
                                    .target_cid = 2,
                                    .source_port = own_port,
                                    .target_port = header->source_port,
                                    .length = length,
                                    .type = 1,
                                    .operation = operation,
                                    .buffer_size = WINDOW,
                                    .forwarded = forwarded};
    virtio_add(&tx, (struct virtio_buffer[]){{packet, sizeof *header + length, false}}, 1);
    virtio_notify_if_wanted(&tx);
    virtio_take(&tx, NULL);
    sent += length;
}

struct vsock_packet* vsock_receive(void) {
    while (virtio_want_interrupt(&rx, 1)) {
        wait_for(&interrupted);
        interrupted = 0;
    }
    uint32_t head;
    virtio_take(&rx, &head);
    struct vsock_packet* packet = virtio_first_buffer(&rx, head);
    peer_forwarded = packet->header.forwarded;
    peer_window = packet->header.buffer_size;
    return packet;
}

void vsock_forward(uint32_t length) {
    forwarded += length;
}

bool vsock_may_send(uint32_t length) {
    return peer_window - (sent - peer_forwarded) >= length;
}

uint32_t vsock_sent(void) {
    return sent;
}
