/* SPDX-License-Identifier: Apache-2.0
 * One vsock connection a run, which the host opens. A packet that was sent is done with when the next one is due: the device
 * is asked for no interrupt about it. */
#include "bench.h"

#include "vsock.h"

#define SOCKET 19
#define CID 3
#define PORT 1024
#define WINDOW (4 * BULK)
#define RX_BUFFERS 8
#define TX_BUFFERS 16 /* entries: a packet takes two at most, and four are in flight at most */

static struct virtio_queue rx, tx;
static struct vsock_header headers[TX_BUFFERS];
static uint8_t* outgoing;
static uint32_t forwarded, sent, peer_port, peer_forwarded, peer_window;
static uint32_t payload_alone; /* of each packet that comes in a run without a device */
static bool closed, alone;

/* The device and host of a run without them: every byte sent has been read, and what the run waits for comes. */
static void serve_alone(void) {
    const uint16_t head = rx.avail->ring[rx.used->index & (rx.size - 1)];
    struct vsock_packet* packet = (void*)(uintptr_t)rx.descriptors[head].address;
    packet->header = (struct vsock_header){.length = payload_alone,
                                           .operation = payload_alone ? VSOCK_RW : VSOCK_CREDIT_UPDATE,
                                           .buffer_size = 2 * BULK,
                                           .forwarded = sent};
    stand_in_use(&rx, 1, sizeof packet->header + payload_alone);
    stand_in_use(&tx, (uint16_t)(tx.avail->index - tx.used->index), 0);
}

static void post(struct vsock_packet* packet) {
    virtio_add(&rx, (struct virtio_buffer[]){{packet, sizeof *packet, true}}, 1);
    virtio_notify_if_wanted(&rx);
}

void socket_init(void) {
    const uint64_t features = virtio_negotiate(SOCKET_SLOT, SOCKET, VIRTIO_F_EVENT_IDX);
    virtio_setup_queue(&rx, SOCKET_SLOT, 0, RX_BUFFERS);
    virtio_setup_queue(&tx, SOCKET_SLOT, 1, TX_BUFFERS);
    virtio_use_features(&rx, features);
    virtio_use_features(&tx, features);
    virtio_interrupt(SOCKET_SLOT, SOCKET_VECTOR, apic_eoi);
    virtio_driver_ok(SOCKET_SLOT);
    virtio_want_interrupt(&tx, TX_BUFFERS + 1); /* never */
    struct vsock_packet* packets = allocate_pages(RX_BUFFERS * (sizeof *packets / 4096 + 1));
    for (unsigned i = 0; i < RX_BUFFERS; ++i)
        post(&packets[i]);
    outgoing = allocate_pages(BULK / 4096);
}

static void send(enum vsock_operation operation, uint32_t length) {
    struct vsock_header* header = &headers[tx.avail->index % TX_BUFFERS];
    *header = (struct vsock_header){.source_cid = CID,
                                    .target_cid = 2,
                                    .source_port = PORT,
                                    .target_port = peer_port,
                                    .length = length,
                                    .type = 1,
                                    .operation = operation,
                                    .buffer_size = WINDOW,
                                    .forwarded = forwarded};
    tx.seen = tx.used->index;
    virtio_add(&tx, (struct virtio_buffer[]){{header, sizeof *header, false}, {outgoing, length, false}},
               length ? 2 : 1);
    virtio_want_interrupt(&tx, TX_BUFFERS + 1);
    virtio_notify_if_wanted(&tx);
    sent += length;
}

/* What a packet of the run's connection says. One that is late, of the connection before, says nothing. */
static uint32_t understand(const struct vsock_header* header) {
    if (header->operation == VSOCK_REQUEST)
        peer_port = header->source_port;
    else if (header->source_port != peer_port)
        return 0;
    peer_forwarded = header->forwarded;
    peer_window = header->buffer_size;
    closed |= header->operation == VSOCK_SHUTDOWN || header->operation == VSOCK_RST;
    if (header->operation == VSOCK_REQUEST)
        send(VSOCK_RESPONSE, 0);
    if (header->operation == VSOCK_CREDIT_REQUEST)
        send(VSOCK_CREDIT_UPDATE, 0);
    return header->operation == VSOCK_RW ? header->length : 0;
}

/* Takes one packet, asleep until there is one. Returns the length of its payload. */
static uint32_t receive(void) {
    if (alone && !virtio_has_used(&rx))
        serve_alone();
    wait_used(&rx, 1);
    uint32_t head;
    virtio_take(&rx, &head);
    struct vsock_packet* packet = (void*)(uintptr_t)rx.descriptors[head].address;
    const uint32_t length = understand(&packet->header);
    post(packet);
    return length;
}

static void ping(void) {
    send(VSOCK_RW, 1);
    while (!closed && receive() == 0) {
    }
    ++forwarded;
}

static void upload(void) {
    while (peer_window - (sent - peer_forwarded) < BULK)
        receive();
    send(VSOCK_RW, BULK);
}

static void download(uint32_t total) {
    for (uint32_t got = 0; got < total && !closed;) {
        const uint32_t length = receive();
        got += length;
        forwarded += length;
        if (got % (2 * BULK) < length) /* half of the window */
            send(VSOCK_CREDIT_UPDATE, 0);
    }
}

static void exchange(struct run run) {
    if (run.what == 'd')
        return download(run.count * BULK);
    for (uint32_t i = 0; i < run.count && !closed; ++i)
        run.what == 'p' ? ping() : upload();
}

void socket_run(struct run run) {
    struct stand_in saved_rx, saved_tx;
    forwarded = sent = peer_forwarded = peer_window = peer_port = 0;
    closed = false;
    alone = run.alone;
    acknowledge(&rx); /* of what came since the last run: a line that stays up has no edge */
    if (alone) {
        stand_in_begin(&saved_rx, &rx);
        stand_in_begin(&saved_tx, &tx);
        peer_window = 2 * BULK;
        payload_alone = run.what == 'p' ? 1 : run.what == 'd' ? BULK : 0;
        exchange(run);
        stand_in_end(&saved_rx, &rx);
        stand_in_end(&saved_tx, &tx);
        return;
    }
    while (peer_window == 0) /* the host's REQUEST */
        receive();
    exchange(run);
    while (!closed) /* the host goes when it has all */
        receive();
    send(VSOCK_RST, 0);
}
