/* SPDX-License-Identifier: Apache-2.0
 * Listens on a port, and sends back what comes without touching it: the host compares. */
#include "../lib/vsock.h"

#define SLOT 2
#define CID 3
#define PORT 1024

/* Payloads that wait for credit to go back. Small ones are joined, so that any two in a row are larger than a buffer: what
 * the window allows then fills at most five of the eight buffers, and credit updates always find one. */
static struct vsock_packet* waiting[VSOCK_BUFFERS];
static unsigned waiting_first, waiting_count;

/* True when the packet itself must be kept. */
static bool keep(struct vsock_packet* packet) {
    struct vsock_packet* last =
        waiting_count ? waiting[(waiting_first + waiting_count - 1) % VSOCK_BUFFERS] : NULL;
    if (last && last->header.length + packet->header.length <= VSOCK_BUFFER) {
        memcpy(last->data + last->header.length, packet->data, packet->header.length);
        last->header.length += packet->header.length;
        return false;
    }
    waiting[(waiting_first + waiting_count++) % VSOCK_BUFFERS] = packet;
    return true;
}

static void echo_waiting(void) {
    while (waiting_count && vsock_may_send(waiting[waiting_first]->header.length)) {
        struct vsock_packet* packet = waiting[waiting_first];
        const uint32_t length = packet->header.length;
        vsock_forward(length);
        vsock_answer(packet, VSOCK_RW, length);
        vsock_post(packet);
        waiting_first = (waiting_first + 1) % VSOCK_BUFFERS;
        --waiting_count;
    }
}

static bool handle(struct vsock_packet* packet) {
    switch (packet->header.operation) {
    case VSOCK_REQUEST:
        CHECK(packet->header.target_port == PORT && packet->header.target_cid == CID);
        vsock_answer(packet, VSOCK_RESPONSE, 0);
        break;
    case VSOCK_RW:
        if (keep(packet))
            return true;
        break;
    case VSOCK_CREDIT_REQUEST:
        vsock_answer(packet, VSOCK_CREDIT_UPDATE, 0);
        break;
    case VSOCK_CREDIT_UPDATE:
        break;
    case VSOCK_SHUTDOWN:
    case VSOCK_RST:
        return false;
    }
    vsock_post(packet);
    return true;
}

void guest_main(const uint8_t* zero_page) {
    interrupts_init();
    apic_init();
    vsock_init(SLOT, PORT, virtio_ring_features(zero_page));
    print("listening\n");
    while (handle(vsock_receive()))
        echo_waiting();
    print("echoed %u bytes\nok\n", vsock_sent());
}
