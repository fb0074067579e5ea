/* SPDX-License-Identifier: Apache-2.0
 * A network card in slot 0 that answers every packet with itself, addresses and ports swapped: all checksums stay right,
 * also those left for later. Packets are sent from the buffers they came in. A packet of the local experimental type
 * 0x88b5 that begins with 'q' ends it. */
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
#define WANTED                                                                                               \
    (F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 | F_HOST_TSO6 |       \
     F_MRG_RXBUF | F_STATUS)
#define VECTOR 40
#define BUFFER 2048u
#define BUFFERS 64
#define MOST 40

struct header {
    uint8_t flags, gso_type;
    uint16_t header_length, gso_size, csum_start, csum_offset, buffers;
};

static struct virtio_queue rx, tx;
static volatile uint32_t interrupted;
static uint32_t largest, merged, segmented, unsummed;

static void on_queue(void) {
    virtio_acknowledge(0);
    interrupted = 1;
}

static void post(void* data) {
    virtio_add(&rx, (struct virtio_buffer[]){{data, BUFFER, true}}, 1);
}

static struct virtio_buffer take(void) {
    while (!virtio_has_used(&rx)) {
        wait_for(&interrupted);
        interrupted = 0;
    }
    uint32_t head;
    const uint32_t length = virtio_take(&rx, &head);
    return (struct virtio_buffer){(void*)(uintptr_t)rx.descriptors[head].address, length, false};
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
    struct virtio_buffer buffers[MOST];
    buffers[0] = take();
    struct header* header = buffers[0].data;
    uint8_t* packet = (uint8_t*)(header + 1);
    const unsigned parts = header->buffers;
    CHECK(parts > 0 && parts <= MOST);
    for (unsigned i = 1; i < parts; ++i)
        buffers[i] = take();
    count(header, buffers, parts);
    header->flags &= 1;
    header->buffers = 0;
    answer(packet);
    virtio_add(&tx, buffers, parts);
    virtio_notify(&tx);
    virtio_take(&tx, NULL);
    const bool last = packet[12] == 0x88 && packet[13] == 0xb5 && packet[14] == 'q';
    for (unsigned i = 0; i < parts; ++i)
        post(buffers[i].data);
    virtio_notify(&rx);
    return !last;
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    apic_init();
    const uint64_t features = virtio_negotiate(0, NET, WANTED);
    CHECK(read32(virtio_base(0) + VIRTIO_CONFIG) == 0x01005452); /* 52:54:00:01:... */
    CHECK((read32(virtio_base(0) + VIRTIO_CONFIG + 4) >> 16) == 1);
    CHECK((read32(virtio_base(0) + VIRTIO_CONFIG + 8) >> 16) == 1500);
    virtio_setup_queue(&rx, 0, 0, BUFFERS);
    virtio_setup_queue(&tx, 0, 1, BUFFERS);
    virtio_interrupt(0, VECTOR, on_queue);
    virtio_driver_ok(0);
    uint8_t* data = allocate_pages(BUFFERS * BUFFER / 4096);
    for (unsigned i = 0; i < BUFFERS; ++i)
        post(data + i * BUFFER);
    virtio_notify(&rx);
    print("offloads %s\n", features & F_HOST_TSO4 ? "agreed" : "none");
    while (echo()) {
    }
    print("largest %u merged %u segmented %u unsummed %u\nok\n", largest, merged, segmented, unsummed);
}
