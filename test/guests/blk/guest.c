/* SPDX-License-Identifier: Apache-2.0
 * Drives a disk of 8 MiB in slot 0: identity, reads and writes with several in flight, flush, zeroes, discard, and
 * requests that must fail. A second, read-only disk is in slot 1. */
#include "../lib/virtio.h"

#define BLOCK 2
#define SECTOR 512u
#define SECTORS 16384u

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, WRITE_ZEROES = 13 };
enum { OK = 0, IO_ERROR = 1, UNSUPPORTED = 2, UNANSWERED = 0xee };

struct request {
    uint32_t type, reserved;
    uint64_t sector;
    uint8_t status;
};

#define VECTOR 40
#define INDIRECT_PARTS (VIRTIO_INDIRECT_BUFFERS - 2)

static struct virtio_queue queue;
static uint64_t ring_features;
static volatile uint32_t interrupts;

static void on_queue(void) {
    virtio_acknowledge(0);
    ++interrupts;
}

static void put(struct request* request, uint32_t type, uint64_t sector, void* data, uint32_t size) {
    *request = (struct request){type, 0, sector, UNANSWERED};
    const bool device_writes = type == IN || type == GET_ID;
    const struct virtio_buffer buffers[] = {
        {request, 16, false}, {data, size, device_writes}, {&request->status, 1, true}};
    if (size)
        virtio_add(&queue, buffers, 3);
    else
        virtio_add(&queue, (struct virtio_buffer[]){buffers[0], buffers[2]}, 2);
}

static uint8_t run(uint32_t type, uint64_t sector, void* data, uint32_t size) {
    static struct request request;
    put(&request, type, sector, data, size);
    CHECK(virtio_notify_if_wanted(&queue)); /* an idle device wants to know */
    virtio_take(&queue, NULL);
    return request.status;
}

static void check_identity(unsigned slot, const char* serial) {
    static char id[24];
    CHECK(read32(virtio_base(slot) + VIRTIO_CONFIG) == SECTORS);
    CHECK(run(GET_ID, 0, id, 20) == OK);
    CHECK(memcmp(id, serial, 6) == 0);
    CHECK(id[20] == 0);
}

static void write_and_read_back(uint8_t* page) {
    memset(page, 0x5a, 4096);
    CHECK(run(OUT, 64, page, 4096) == OK);
    memset(page, 0, 4096);
    CHECK(run(IN, 64, page, 4096) == OK);
    CHECK(page[0] == 0x5a && page[4095] == 0x5a);
    CHECK(run(IN, SECTORS - 1, page, SECTOR) == OK);
    CHECK(page[0] == 0);
    CHECK(run(FLUSH, 0, NULL, 0) == OK);
}

/* Eight reads at once; each sector of the host's file begins with its own number. */
static void read_several(uint8_t* pages) {
    static struct request requests[8];
    for (unsigned i = 0; i < 8; ++i)
        put(&requests[i], IN, 1000 + i, pages + i * SECTOR, SECTOR);
    virtio_notify_if_wanted(&queue);
    for (unsigned i = 0; i < 8; ++i)
        CHECK(virtio_take(&queue, NULL) == SECTOR + 1);
    for (unsigned i = 0; i < 8; ++i)
        CHECK(requests[i].status == OK && *(uint32_t*)(pages + i * SECTOR) == 1000 + i);
}

/* One read in more pieces than the queue has entries. */
static void read_in_pieces(uint8_t* page) {
    static struct request request;
    struct virtio_buffer buffers[VIRTIO_INDIRECT_BUFFERS];
    request = (struct request){IN, 0, 2000, UNANSWERED};
    buffers[0] = (struct virtio_buffer){&request, 16, false};
    for (unsigned i = 0; i < INDIRECT_PARTS; ++i) /* from the last to the first */
        buffers[1 + i] = (struct virtio_buffer){page + (INDIRECT_PARTS - 1 - i) * 256, 256, true};
    buffers[1 + INDIRECT_PARTS] = (struct virtio_buffer){&request.status, 1, true};
    virtio_add(&queue, buffers, VIRTIO_INDIRECT_BUFFERS);
    CHECK(virtio_notify_if_wanted(&queue));
    CHECK(virtio_take(&queue, NULL) == INDIRECT_PARTS * 256 + 1);
    CHECK(request.status == OK);
    CHECK(*(uint32_t*)(page + (INDIRECT_PARTS - 1) * 256) == 2000);
    CHECK(*(uint32_t*)(page + (INDIRECT_PARTS - 3) * 256) == 2001);
}

/* Of three requests, the device interrupts for the last, which is the one that was asked about. */
static void interrupt_when_asked(uint8_t* page) {
    static uint32_t asked;
    while (!virtio_want_interrupt(&queue, 3))
        CHECK(false);
    const uint32_t before = interrupts;
    const uint16_t first = queue.seen;
    static struct request requests[3];
    for (unsigned i = 0; i < 3; ++i) {
        interrupts_off();
        put(&requests[i], IN, i + 1, page, SECTOR);
        virtio_notify_if_wanted(&queue);
        while ((uint16_t)(queue.used->index - first) <= i)
            __asm__ volatile("pause" : : : "memory");
        interrupts_on();
        for (asked = 0; i < 2 && asked < 200; ++asked) /* time for one that should not come */
            __asm__ volatile("pause" : : : "memory");
        CHECK(i == 2 || interrupts == before);
    }
    while (interrupts == before)
        __asm__ volatile("pause" : : : "memory");
    interrupts_off();
    CHECK(interrupts == before + 1);
    queue.seen = (uint16_t)(queue.seen + 3);
}

static void zero_and_discard(uint8_t* page) {
    struct {
        uint64_t sector;
        uint32_t count, flags;
    } range = {64, 4, 0};
    CHECK(run(WRITE_ZEROES, 0, &range, sizeof range) == OK);
    CHECK(run(IN, 64, page, 4096) == OK);
    CHECK(page[0] == 0 && page[4 * SECTOR - 1] == 0 && page[4 * SECTOR] == 0x5a);
    range.flags = 2;
    CHECK(run(WRITE_ZEROES, 0, &range, sizeof range) == UNSUPPORTED);
    range.flags = 0;
    CHECK(run(DISCARD, 0, &range, sizeof range) == OK);
    range.sector = SECTORS - 3;
    CHECK(run(DISCARD, 0, &range, sizeof range) == IO_ERROR);
    CHECK(run(DISCARD, 0, &range, sizeof range - 1) == IO_ERROR);
}

static void refused(uint8_t* page) {
    CHECK(run(IN, SECTORS, page, SECTOR) == IO_ERROR);
    CHECK(run(IN, SECTORS - 1, page, 2 * SECTOR) == IO_ERROR);
    CHECK(run(IN, ~0ull, page, SECTOR) == IO_ERROR);
    CHECK(run(OUT, 1ull << 55, page, SECTOR) == IO_ERROR);
    CHECK(run(IN, 0, page, 100) == IO_ERROR);
    CHECK(run(GET_ID, 0, page, 19) == IO_ERROR);
    CHECK(run(99, 0, page, SECTOR) == UNSUPPORTED);
}

static void drive(unsigned slot, uint64_t features, uint16_t entries) {
    features |= ring_features;
    CHECK(virtio_negotiate(slot, BLOCK, features) == (features | VIRTIO_F_VERSION_1));
    virtio_setup_queue(&queue, slot, 0, entries);
    virtio_use_features(&queue, features);
    virtio_driver_ok(slot);
}

void guest_main(const uint8_t* zero_page) {
    uint8_t* page = allocate_pages(1);
    ring_features = virtio_ring_features(zero_page);
    drive(0, 1u << 9 | 1u << 13 | 1u << 14, ring_features ? 8 : 64);
    check_identity(0, "disk-0");
    write_and_read_back(page);
    read_several(page);
    zero_and_discard(page);
    refused(page);
    if (ring_features) {
        interrupts_init();
        apic_init();
        virtio_interrupt(0, VECTOR, on_queue);
        read_in_pieces(page);
        interrupt_when_asked(page);
    }
    print("writable disk\n");
    drive(1, 1u << 5, 64);
    check_identity(1, "disk-1");
    CHECK(run(IN, 7, page, SECTOR) == OK && *(uint32_t*)page == 7);
    CHECK(run(OUT, 7, page, SECTOR) == IO_ERROR);
    print("ok\n");
}
