/* SPDX-License-Identifier: Apache-2.0
 * A vsock driver in slot 0 that lies about lengths and credit, and opens connections without end. The host listens on
 * port 5 and neither reads nor writes. */
#include "../lib/virtio.h"

#define VSOCK 19
#define CID 3
#define HOST_PORT 5
#define RX_BUFFERS 16
#define WINDOW 65536u
#define FIRST_STORM_PORT 1000u
#define STORM_PORTS 600u

enum { REQUEST = 1, RESPONSE, RST, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST };

struct header {
    uint64_t source_cid, target_cid;
    uint32_t source_port, target_port, length;
    uint16_t type, operation;
    uint32_t flags, buffer_size, forwarded;
} __attribute__((packed));

static struct virtio_queue rx, tx;
static struct header* received; /* RX_BUFFERS of them, 64 bytes apart */
static struct header out;
static uint8_t* payload;
static unsigned last_operation;    /* that came, 0 for none since prepare() */
static unsigned resets, responses; /* of the storm's ports */

static void start(void) {
    virtio_negotiate(0, VSOCK, 0);
    virtio_setup_queue(&rx, 0, 0, RX_BUFFERS);
    virtio_setup_queue(&tx, 0, 1, 16);
    virtio_driver_ok(0);
    for (unsigned i = 0; i < RX_BUFFERS; ++i)
        virtio_add(&rx, (struct virtio_buffer[]){{(uint8_t*)received + i * 64, 64, true}}, 1);
    virtio_notify(&rx);
}

/* Takes what has come, and gives the buffers back. */
static void drain(void) {
    bool any = false;
    while (virtio_has_used(&rx)) {
        uint32_t head;
        virtio_take(&rx, &head);
        struct header* header = (void*)(uintptr_t)rx.descriptors[head].address;
        last_operation = header->operation;
        const bool storm = header->target_port >= FIRST_STORM_PORT;
        resets += storm && header->operation == RST;
        responses += storm && header->operation == RESPONSE;
        virtio_add(&rx, (struct virtio_buffer[]){{header, 64, true}}, 1);
        any = true;
    }
    if (any)
        virtio_notify(&rx);
}

/* The answer to what was sent last, which may have come while it was sent. */
static void await(unsigned operation) {
    while (!last_operation)
        drain();
    CHECK(last_operation == operation);
}

static void prepare(uint32_t port, uint16_t operation, uint32_t length) {
    last_operation = 0;
    out = (struct header){.source_cid = CID,
                          .target_cid = 2,
                          .source_port = port,
                          .target_port = HOST_PORT,
                          .length = length,
                          .type = 1,
                          .operation = operation,
                          .buffer_size = WINDOW};
}

/* Sends `out`, of which the descriptor shows `header_bytes`, with `bytes` behind it. */
static void send(uint32_t header_bytes, uint32_t bytes) {
    virtio_add(&tx, (struct virtio_buffer[]){{&out, header_bytes, false}, {payload, bytes, false}},
               bytes ? 2 : 1);
    virtio_notify(&tx);
    while (!virtio_has_used(&tx))
        drain(); /* a device whose answers nobody takes takes no more packets */
    virtio_take(&tx, NULL);
}

static void open(uint32_t port) {
    prepare(port, REQUEST, 0);
    send(sizeof out, 0);
    await(RESPONSE);
}

/* CVE-2019-18960 of another VMM, and lengths that are not so. */
static void lying_lengths(void) {
    open(1);
    const uint32_t lengths[] = {1, 4096, 0x7fffffff, 0xffffffff};
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); ++i) {
        prepare(1, RW, lengths[i]);
        send(sizeof out, 0);
    }
    for (uint32_t bytes = 1; bytes < sizeof out; bytes += 7) {
        prepare(1, RST, 0);
        send(bytes, 0);
    }
    prepare(1, RW, 0); /* the header in two parts, the second too short */
    virtio_add(&tx, (struct virtio_buffer[]){{&out, 20, false}, {(uint8_t*)&out + 20, 23, false}}, 2);
    virtio_notify(&tx);
    virtio_take(&tx, NULL);
    drain();
    CHECK(!last_operation);
    prepare(1, CREDIT_REQUEST, 0); /* the connection is still there */
    send(sizeof out, 0);
    await(CREDIT_UPDATE);
    prepare(1, RST, 0);
    send(sizeof out, 0);
    print("unmoved by lying lengths\n");
}

static void lying_credits(void) {
    open(2);
    const uint32_t counters[][2] = {{0, 0}, {0, ~0u}, {~0u, ~0u}, {1, 0x80000000}};
    for (unsigned i = 0; i < ARRAY_SIZE(counters); ++i) {
        prepare(2, CREDIT_UPDATE, 0);
        out.buffer_size = counters[i][0];
        out.forwarded = counters[i][1];
        send(sizeof out, 0);
    }
    unsigned sent = 0;
    while (last_operation != RST) { /* the host does not read: at some point this is more than was allowed */
        CHECK(++sent < 64);
        prepare(2, RW, 65536);
        send(sizeof out, 65536);
        prepare(2, CREDIT_REQUEST, 0); /* is answered in either case */
        send(sizeof out, 0);
        while (!last_operation)
            drain();
    }
    print("reset after %u packets without credit\n", sent);
}

static void port_storms(void) {
    for (unsigned i = 0; i < 100; ++i) { /* one port over and over: made, reset, made */
        prepare(3, REQUEST, 0);
        send(sizeof out, 0);
    }
    prepare(3, RST, 0);
    send(sizeof out, 0);
    for (uint32_t port = FIRST_STORM_PORT; port < FIRST_STORM_PORT + STORM_PORTS;
         ++port) { /* more than there may be */
        prepare(port, REQUEST, 0);
        send(sizeof out, 0);
    }
    while (resets + responses < STORM_PORTS)
        drain();
    CHECK(responses <= 512 && responses >= 500);
    for (uint32_t port = FIRST_STORM_PORT; port < FIRST_STORM_PORT + STORM_PORTS; ++port) {
        prepare(port, RST, 0);
        send(sizeof out, 0);
    }
    open(4);
    print("%u connections of %u were made\n", responses, STORM_PORTS);
}

static void nonsense(void) {
    const uint16_t operations[] = {0, 8, 0xffff, RESPONSE, RW, SHUTDOWN, CREDIT_UPDATE, CREDIT_REQUEST};
    for (unsigned i = 0; i < ARRAY_SIZE(operations); ++i) { /* of connections that there are not */
        prepare(5000 + i, operations[i], 0);
        send(sizeof out, 0);
        await(RST);
    }
    prepare(4, RW, 0);
    out.source_cid = 2;
    send(sizeof out, 0);
    prepare(4, RW, 0);
    out.target_cid = ~0ull;
    send(sizeof out, 0);
    prepare(4, RW, 0);
    out.type = 2;
    send(sizeof out, 0);
    await(RST);
    open(6);
    print("unmoved by nonsense\n");
}

static void break_and_mend(void) {
    tx.descriptors[0] = (struct virtio_descriptor){(uintptr_t)&out, 44, VIRTIO_DESC_NEXT, 0};
    tx.avail->ring[tx.avail->index % 16] = 0;
    __asm__ volatile("" : : : "memory");
    tx.avail->index = (uint16_t)(tx.avail->index + 1);
    virtio_notify(&tx);
    while (!(read32(virtio_base(0) + VIRTIO_STATUS) & VIRTIO_NEEDS_RESET))
        __asm__ volatile("pause");
    start();
    open(7);
    print("mended\n");
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    received = allocate_pages(1);
    payload = allocate_pages(16);
    start();
    lying_lengths();
    lying_credits();
    port_storms();
    nonsense();
    break_and_mend();
    print("ok\n");
}
