/* SPDX-License-Identifier: Apache-2.0
 * A network card in slot 0 that answers every packet with itself, addresses and ports swapped: all checksums stay right,
 * also those left for later. Packets are sent from the buffers they came in. A packet of the local experimental type
 * 0x88b5 that begins with 'q' ends it. Of a card with several pairs of queues it uses two, and answers by the one that a packet came by. */
#include "../lib/virtio.h"

#define NET 1
#define F_CSUM (1u << 0)
#define F_GUEST_CSUM (1u << 1)
#define F_MTU (1u << 3)
#define F_MAC (1u << 5)
#define F_GUEST_TSO4 (1u << 7)
#define F_GUEST_TSO6 (1u << 8)
#define F_HOST_TSO4 (1u << 11)
#define F_HOST_TSO6 (1u << 12)
#define F_MRG_RXBUF (1u << 15)
#define F_STATUS (1u << 16)
#define F_CTRL_VQ (1u << 17)
#define F_MQ (1u << 22)
#define WANTED                                                                                               \
    (F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 | F_HOST_TSO6 |       \
     F_MRG_RXBUF | F_STATUS | F_CTRL_VQ | F_MQ)
#define VECTOR 40
#define BUFFER 2048u
#define BUFFERS 64
#define MOST 40
#define PAIRS 2

struct header {
    uint8_t flags, gso_type;
    uint16_t header_length, gso_size, csum_start, csum_offset, buffers;
};

static struct pair {
    struct virtio_queue rx, tx;
    uint32_t packets;
} pairs[PAIRS];
static unsigned pair_count = 1;
static volatile uint32_t interrupted;
static uint32_t largest, merged, segmented, unsummed;

static void on_queue(void) {
    virtio_acknowledge(0);
    interrupted = 1;
}

static void post(struct pair* pair, void* data) {
    virtio_add(&pair->rx, (struct virtio_buffer[]){{data, BUFFER, true}}, 1);
}

static struct pair* await_packet(void) {
    for (;;) {
        for (unsigned i = 0; i < pair_count; ++i)
            if (virtio_has_used(&pairs[i].rx))
                return &pairs[i];
        wait_for(&interrupted);
        interrupted = 0;
    }
}

static struct virtio_buffer take(struct pair* pair) {
    uint32_t head;
    const uint32_t length = virtio_take(&pair->rx, &head);
    return (struct virtio_buffer){(void*)(uintptr_t)pair->rx.descriptors[head].address, length, false};
}

static void swap(uint8_t* a, uint8_t* b, unsigned count) {
    while (count--) {
        const uint8_t kept = a[count];
        a[count] = b[count];
        b[count] = kept;
    }
}

static void answer(uint8_t* packet) {
    swap(packet, packet + 6, 6);
    if (packet[12] == 8 && packet[13] == 0 && packet[14] == 0x45) { /* IPv4 without options */
        swap(packet + 26, packet + 30, 4);
        swap(packet + 34, packet + 36, 2);
    }
    if (packet[12] == 0x86 && packet[13] == 0xdd) { /* IPv6 without extensions */
        swap(packet + 22, packet + 38, 16);
        swap(packet + 54, packet + 56, 2);
    }
}

static void count(const struct header* header, const struct virtio_buffer* buffers, unsigned parts) {
    uint32_t size = 0;
    for (unsigned i = 0; i < parts; ++i)
        size += buffers[i].length;
    largest = size > largest ? size : largest;
    merged += parts > 1;
    segmented += header->gso_type == 1 || header->gso_type == 4; /* TCP over IPv4, over IPv6 */
    unsummed += header->flags & 1;
}

/* False when it was the last packet. */
static bool echo(void) {
    struct pair* pair = await_packet();
    struct virtio_buffer buffers[MOST];
    buffers[0] = take(pair);
    struct header* header = buffers[0].data;
    uint8_t* packet = (uint8_t*)(header + 1);
    const unsigned parts = header->buffers;
    CHECK(parts > 0 && parts <= MOST);
    for (unsigned i = 1; i < parts; ++i)
        buffers[i] = take(pair);
    count(header, buffers, parts);
    ++pair->packets;
    header->flags &= 1;
    header->buffers = 0;
    answer(packet);
    virtio_add(&pair->tx, buffers, parts);
    virtio_notify(&pair->tx);
    virtio_take(&pair->tx, NULL);
    const bool last = packet[12] == 0x88 && packet[13] == 0xb5 && packet[14] == 'q';
    for (unsigned i = 0; i < parts; ++i)
        post(pair, buffers[i].data);
    virtio_notify(&pair->rx);
    return !last;
}

/* What the device answers when it is asked to use so many pairs (5.1.6.5.5). */
static uint8_t ask_for_pairs(struct virtio_queue* control, uint16_t count) {
    static struct {
        uint8_t class, command;
        uint16_t pairs;
        uint8_t ack;
    } wish;
    wish.class = 4; /* VIRTIO_NET_CTRL_MQ */
    wish.pairs = count;
    wish.ack = 0xff;
    virtio_add(control, (struct virtio_buffer[]){{&wish, 4, false}, {&wish.ack, 1, true}}, 2);
    virtio_notify(control);
    CHECK(virtio_take(control, NULL) == 1);
    return wish.ack;
}

static void set_up(struct pair* pair, unsigned number) {
    virtio_setup_queue(&pair->rx, 0, (uint16_t)(2 * number), BUFFERS);
    virtio_setup_queue(&pair->tx, 0, (uint16_t)(2 * number + 1), BUFFERS);
}

static void fill(struct pair* pair) {
    uint8_t* data = allocate_pages(BUFFERS * BUFFER / 4096);
    for (unsigned i = 0; i < BUFFERS; ++i)
        post(pair, data + i * BUFFER);
    virtio_notify(&pair->rx);
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    apic_init();
    const uint64_t features = virtio_negotiate(0, NET, WANTED);
    CHECK(read32(virtio_base(0) + VIRTIO_CONFIG) == 0x01005452); /* 52:54:00:01:... */
    CHECK((read32(virtio_base(0) + VIRTIO_CONFIG + 4) >> 16) == 1);
    const uint32_t last = read32(virtio_base(0) + VIRTIO_CONFIG + 8);
    CHECK((last >> 16) == 1500);
    const uint16_t most = (uint16_t)last;
    pair_count = features & F_MQ ? PAIRS : 1;
    CHECK(most >= pair_count && (features & F_MQ) == (features & F_CTRL_VQ) << 5);
    for (unsigned i = 0; i < pair_count; ++i)
        set_up(&pairs[i], i);
    struct virtio_queue control;
    if (features & F_MQ)
        virtio_setup_queue(&control, 0, (uint16_t)(2 * most), 2);
    virtio_interrupt(0, VECTOR, on_queue);
    virtio_driver_ok(0);
    for (unsigned i = 0; i < pair_count; ++i)
        fill(&pairs[i]);
    if (features & F_MQ) {
        CHECK(ask_for_pairs(&control, (uint16_t)(most + 1)) == 1);
        CHECK(ask_for_pairs(&control, 0) == 1);
        CHECK(ask_for_pairs(&control, PAIRS) == 0);
    }
    print("offloads %s, pairs %u\n", features & F_HOST_TSO4 ? "agreed" : "none", pair_count);
    while (echo()) {
    }
    print("largest %u merged %u segmented %u unsummed %u\n", largest, merged, segmented, unsummed);
    print("packets %u and %u\nok\n", pairs[0].packets, pairs[1].packets);
}
