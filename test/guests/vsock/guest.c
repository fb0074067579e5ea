/* SPDX-License-Identifier: Apache-2.0
 * Listens on a port, and sends back what comes without touching it: the host compares. Credit as virtio 1.2, 5.10.6.3:
 * the guest forwards each packet before it takes the next, so its window is what it has posted. */
#include "../lib/virtio.h"

#define SLOT 2
#define VSOCK 19
#define CID 3
#define PORT 1024
#define VECTOR 40
#define BUFFER 65536u
#define BUFFERS 8
#define WINDOW (128 * 1024u)

enum { REQUEST = 1, RESPONSE, RST, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST };

struct header {
    uint64_t source_cid, target_cid;
    uint32_t source_port, target_port, length;
    uint16_t type, operation;
    uint32_t flags, buffer_size, forwarded;
} __attribute__((packed));

struct packet {
    struct header header;
    uint8_t data[BUFFER];
};

static struct virtio_queue rx, tx;
static volatile uint32_t interrupted;
static uint32_t forwarded, sent, peer_forwarded, peer_window;

static void on_queue(void) {
    virtio_acknowledge(SLOT); /* may be nothing: an interrupt that the one before it has seen to */
    interrupted = 1;
}

static void post(struct packet* packet) {
    virtio_add(&rx, (struct virtio_buffer[]){{packet, sizeof *packet, true}}, 1);
    virtio_notify(&rx);
}

/* Answers in place, with the payload that is there, and waits until the device has taken it. */
static void send(struct packet* packet, uint16_t operation, uint32_t length) {
    struct header* header = &packet->header;
    *header = (struct header){.source_cid = CID,
                              .target_cid = 2,
                              .source_port = PORT,
                              .target_port = header->source_port,
                              .length = length,
                              .type = 1,
                              .operation = operation,
                              .buffer_size = WINDOW,
                              .forwarded = forwarded};
    virtio_add(&tx, (struct virtio_buffer[]){{packet, sizeof *header + length, false}}, 1);
    virtio_notify(&tx);
    virtio_take(&tx, NULL);
}

static struct packet* receive(void) {
    while (!virtio_has_used(&rx)) {
        wait_for(&interrupted);
        interrupted = 0;
    }
    uint32_t head;
    virtio_take(&rx, &head);
    struct packet* packet = (void*)(uintptr_t)rx.descriptors[head].address;
    peer_forwarded = packet->header.forwarded;
    peer_window = packet->header.buffer_size;
    return packet;
}

static bool may_send(uint32_t length) {
    return peer_window - (sent - peer_forwarded) >= length;
}

/* Payloads that wait for credit to go back. Small ones are joined, so that any two in a row are larger than a buffer: what
 * the window allows then fills at most five of the eight buffers, and credit updates always find one. */
static struct packet* waiting[BUFFERS];
static unsigned waiting_first, waiting_count;

/* True when the packet itself must be kept. */
static bool keep(struct packet* packet) {
    struct packet* last = waiting_count ? waiting[(waiting_first + waiting_count - 1) % BUFFERS] : NULL;
    if (last && last->header.length + packet->header.length <= BUFFER) {
        memcpy(last->data + last->header.length, packet->data, packet->header.length);
        last->header.length += packet->header.length;
        return false;
    }
    waiting[(waiting_first + waiting_count++) % BUFFERS] = packet;
    return true;
}

static void echo_waiting(void) {
    while (waiting_count && may_send(waiting[waiting_first]->header.length)) {
        struct packet* packet = waiting[waiting_first];
        const uint32_t length = packet->header.length;
        forwarded += length;
        send(packet, RW, length);
        sent += length;
        post(packet);
        waiting_first = (waiting_first + 1) % BUFFERS;
        --waiting_count;
    }
}

static bool handle(struct packet* packet) {
    switch (packet->header.operation) {
    case REQUEST:
        CHECK(packet->header.target_port == PORT && packet->header.target_cid == CID);
        send(packet, RESPONSE, 0);
        break;
    case RW:
        if (keep(packet))
            return true;
        break;
    case CREDIT_REQUEST:
        send(packet, CREDIT_UPDATE, 0);
        break;
    case CREDIT_UPDATE:
        break;
    case SHUTDOWN:
    case RST:
        return false;
    }
    post(packet);
    return true;
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    apic_init();
    virtio_negotiate(SLOT, VSOCK, 0);
    CHECK(read32(virtio_base(SLOT) + VIRTIO_CONFIG) == CID);
    virtio_setup_queue(&rx, SLOT, 0, BUFFERS);
    virtio_setup_queue(&tx, SLOT, 1, 8);
    virtio_interrupt(SLOT, VECTOR, on_queue);
    virtio_driver_ok(SLOT);
    struct packet* packets = allocate_pages(BUFFERS * (sizeof *packets / 4096 + 1));
    for (unsigned i = 0; i < BUFFERS; ++i)
        post(&packets[i]);
    print("listening\n");
    while (handle(receive()))
        echo_waiting();
    print("echoed %u bytes\nok\n", sent);
}
