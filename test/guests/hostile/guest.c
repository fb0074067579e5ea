/* SPDX-License-Identifier: Apache-2.0
 * A driver that breaks the rules, on a writable disk of 8 MiB in slot 0. After each attempt the device must be gone into
 * DEVICE_NEEDS_RESET or have taken no notice, and must work again after a reset. */
#include "../lib/virtio.h"

#define BLOCK 2
#define SLOT 0
#define SIZE 16

static struct virtio_queue queue;
static struct {
    uint32_t type, reserved;
    uint64_t sector;
} header;
static uint8_t *sector, *status;

static uint32_t base(void) {
    return virtio_base(SLOT);
}
static bool needs_reset(void) {
    return read32(base() + VIRTIO_STATUS) & VIRTIO_NEEDS_RESET;
}

static void until_broken(const char* what) {
    while (!needs_reset())
        __asm__ volatile("pause");
    print("refused: %s\n", what);
}

static void prepare(uint64_t features) {
    virtio_negotiate(SLOT, BLOCK, features);
    virtio_setup_queue(&queue, SLOT, 0, SIZE);
}

static void start(uint64_t features) {
    prepare(features);
    virtio_driver_ok(SLOT);
}

static void check_works(void) {
    *status = 0xee;
    virtio_add(&queue, (struct virtio_buffer[]){{&header, 16, false}, {sector, 512, true}, {status, 1, true}},
               3);
    virtio_notify(&queue);
    CHECK(virtio_take(&queue, NULL) == 513);
    CHECK(*status == 0);
}

/* Offers the descriptors as they stand, from `head`. */
static void offer(uint16_t head) {
    queue.avail->ring[queue.avail->index % SIZE] = head;
    __asm__ volatile("" : : : "memory");
    queue.avail->index = (uint16_t)(queue.avail->index + 1);
    virtio_notify(&queue);
}

static void describe(unsigned index, uint64_t address, uint32_t length, uint16_t flags, uint16_t next) {
    queue.descriptors[index] = (struct virtio_descriptor){address, length, flags, next};
}

static void bad_chains(void) {
    struct {
        const char* what;
        uint64_t address;
        uint32_t length;
        uint16_t flags, next;
    } const chains[] = {
        {"a loop", 0x200000, 16, VIRTIO_DESC_NEXT, 0},
        {"a next past the table", 0x200000, 16, VIRTIO_DESC_NEXT, SIZE},
        {"memory that is not there", 0x80000000, 16, 0, 0},
        {"device registers as memory", VIRTIO_BASE, 16, 0, 0},
        {"an address at the end of all", ~0ull - 7, 16, 0, 0},
        {"a buffer of nothing", 0x200000, 0, 0, 0},
        {"a buffer of 4 GiB", 0x200000, ~0u, 0, 0},
        {"an indirect table nobody agreed to", 0x200000, 16, VIRTIO_DESC_INDIRECT, 0},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(chains); ++i) {
        start(0);
        describe(0, chains[i].address, chains[i].length, chains[i].flags, chains[i].next);
        offer(0);
        until_broken(chains[i].what);
        virtio_notify(&queue); /* to a broken queue: nothing */
    }
    start(0);
    offer(SIZE);
    until_broken("a head past the table");
    start(0);
    describe(0, (uintptr_t)sector, 512, VIRTIO_DESC_WRITE | VIRTIO_DESC_NEXT, 1);
    describe(1, (uintptr_t)&header, 16, 0, 0);
    offer(0);
    until_broken("readable after writable");
    start(0);
    queue.avail->index = 1000;
    virtio_notify(&queue);
    until_broken("an index that ran away");
    start(0);
    check_works();
}

static void bad_indirect(void) {
    static struct virtio_descriptor table[4];
    start(1ull << 28);
    table[0] = (struct virtio_descriptor){(uintptr_t)table, sizeof table, VIRTIO_DESC_INDIRECT, 0};
    describe(0, (uintptr_t)table, sizeof table, VIRTIO_DESC_INDIRECT, 0);
    offer(0);
    until_broken("a table in a table");
    start(1ull << 28);
    table[0] = (struct virtio_descriptor){0x200000, 16, VIRTIO_DESC_NEXT, 0};
    describe(0, (uintptr_t)table, sizeof table, VIRTIO_DESC_INDIRECT, 0);
    offer(0);
    until_broken("a loop in a table");
    start(1ull << 28);
    describe(0, (uintptr_t)table, 17, VIRTIO_DESC_INDIRECT, 0);
    offer(0);
    until_broken("a table of odd length");
}

/* Requests that are chains by the rules, but make no sense: answered or returned, never more. */
static void bad_requests(void) {
    start(0);
    *status = 0xee;
    virtio_add(&queue, (struct virtio_buffer[]){{&header, 15, false}, {status, 1, true}}, 2);
    virtio_notify(&queue);
    CHECK(virtio_take(&queue, NULL) == 1 && *status == 2); /* a header cut short */
    virtio_add(&queue, (struct virtio_buffer[]){{&header, 16, false}}, 1);
    virtio_notify(&queue);
    CHECK(virtio_take(&queue, NULL) == 0); /* no room for a status */
    /* data and status over the header itself, in one buffer each way */
    virtio_add(&queue, (struct virtio_buffer[]){{&header, 16, false}, {&header, 16, true}}, 2);
    virtio_notify(&queue);
    CHECK(virtio_take(&queue, NULL) == 1);
    header.type = 0;
    header.reserved = 0;
    header.sector = 0;
    check_works();
}

static void bad_layouts(void) {
    struct {
        const char* what;
        uint32_t size, where, address;
    } const layouts[] = {
        {"a queue of no entries", 0, 0, 0},
        {"a size that is no power of two", 5, 0, 0},
        {"a queue larger than offered", 32768, 0, 0},
        {"a size of 2^32 - 1", ~0u, 0, 0},
        {"an unaligned table", SIZE, VIRTIO_QUEUE_DESC, 0x200001},
        {"a table outside memory", SIZE, VIRTIO_QUEUE_DESC, 0xc0000000},
        {"a used ring across the end of memory", SIZE, VIRTIO_QUEUE_DEVICE, (16u << 20) - 8},
        {"a ring in device registers", SIZE, VIRTIO_QUEUE_DRIVER, VIRTIO_BASE},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(layouts); ++i) {
        prepare(0);
        write32(base() + VIRTIO_QUEUE_READY, 0);
        write32(base() + VIRTIO_QUEUE_NUM, layouts[i].size);
        if (layouts[i].where)
            write32(base() + layouts[i].where, layouts[i].address);
        write32(base() + VIRTIO_QUEUE_READY, 1);
        write32(base() + VIRTIO_STATUS, read32(base() + VIRTIO_STATUS) | VIRTIO_DRIVER_OK);
        CHECK(needs_reset());
        virtio_notify(&queue);
        print("refused: %s\n", layouts[i].what);
    }
}

/* CVE-2026-5747 of another VMM: what is written to a queue's registers after DRIVER_OK must reach nothing. */
static void changes_after_driver_ok(void) {
    start(0);
    write32(base() + VIRTIO_QUEUE_SEL, 0);
    write32(base() + VIRTIO_QUEUE_READY, 0);
    write32(base() + VIRTIO_QUEUE_NUM, 32768);
    for (uint32_t at = VIRTIO_QUEUE_DESC; at < VIRTIO_QUEUE_DEVICE + 8; at += 4)
        write32(base() + at, 0xfffffff0);
    write32(base() + VIRTIO_DRIVER_FEATURES, ~0u);
    CHECK(read32(base() + VIRTIO_QUEUE_READY) == 1);
    check_works();
    print("unmoved by late writes\n");
}

static void absurd_accesses(void) {
    start(0);
    for (uint32_t at = 0; at < 0x1000; at += 2)
        *(volatile uint16_t*)(uintptr_t)(base() + at) = 0xffff;
    for (uint32_t at = VIRTIO_CONFIG; at < 0x1000; at += 64)
        *(volatile uint64_t*)(uintptr_t)(base() + at) = ~0ull;
    write32(base() + VIRTIO_QUEUE_SEL, ~0u);
    CHECK(read32(base() + VIRTIO_QUEUE_NUM_MAX) == 0);
    write32(base() + VIRTIO_QUEUE_NUM, 1);
    write32(base() + VIRTIO_QUEUE_NOTIFY, 77);
    CHECK(read32(base() + 0xffc) == 0);
    check_works();
    write32(base() + VIRTIO_STATUS, 0);
    write32(base() + VIRTIO_STATUS, VIRTIO_DRIVER_OK); /* before everything that must come first */
    CHECK(!(read32(base() + VIRTIO_STATUS) & VIRTIO_DRIVER_OK));
    virtio_notify(&queue);
    print("unmoved by absurd accesses\n");
}

/* From InterruptStatus to the page's end: memory, but not the guest's to write. */
static void read_only_registers(void) {
    enum { FIRST = VIRTIO_INTERRUPT_STATUS, WORDS = 4096 / 4 };
    static uint32_t before[WORDS];
    start(0);
    check_works();
    CHECK(read32(base() + VIRTIO_INTERRUPT_STATUS) == 1);
    for (unsigned i = 0; i < WORDS; ++i)
        before[i] = read32(base() + FIRST + 4 * i);
    for (unsigned i = 0; i < WORDS; ++i)
        if (FIRST + 4 * i != VIRTIO_STATUS)
            write32(base() + FIRST + 4 * i, ~before[i]);
    __asm__ volatile("lock xaddl %0, (%1)" : : "r"(1), "r"((uintptr_t)base() + FIRST) : "memory");
    write32(base() + VIRTIO_INTERRUPT_ACK, 1);
    for (unsigned i = 0; i < WORDS; ++i)
        CHECK(read32(base() + FIRST + 4 * i) == before[i]);
    *(volatile uint64_t*)(uintptr_t)(base() + FIRST - 4) = ~0ull; /* half in the page, half before it */
    CHECK(*(volatile uint64_t*)(uintptr_t)(base() + FIRST - 4) == (uint64_t)before[0] << 32);
    check_works();
    describe(0, 0x200000, 0, 0, 0);
    offer(0);
    until_broken("a buffer of nothing");
    CHECK(read32(base() + VIRTIO_INTERRUPT_STATUS) == 3);
    write32(base() + VIRTIO_INTERRUPT_ACK, 3);
    CHECK(read32(base() + VIRTIO_INTERRUPT_STATUS) == 1); /* a used buffer's bit stays until reset */
    write32(base() + VIRTIO_STATUS, 0);
    CHECK(read32(base() + VIRTIO_INTERRUPT_STATUS) == 0 && read32(base() + VIRTIO_STATUS) == 0);
    print("registers to read are not to write\n");
}

static void notify_storm(void) {
    start(0);
    for (unsigned i = 0; i < 2000; ++i)
        virtio_notify(&queue);
    check_works();
    print("unmoved by notifications\n");
}

static void reset_in_flight(void) {
    for (unsigned round = 0; round < 20; ++round) {
        start(0);
        for (unsigned i = 0; i < 5; ++i)
            virtio_add(
                &queue,
                (struct virtio_buffer[]){{&header, 16, false}, {sector, 4096, true}, {status, 1, true}}, 3);
        virtio_notify(&queue);
        write32(base() + VIRTIO_STATUS, 0);
        *status = 0x77;
        memset(sector, 0x77, 4096);
        for (volatile unsigned i = 0; i < 100; ++i) {
        }
        CHECK(*status == 0x77 && sector[0] == 0x77 && sector[4095] == 0x77);
    }
    print("nothing comes after a reset\n");
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    sector = allocate_pages(1);
    status = allocate_pages(1);
    bad_chains();
    bad_indirect();
    bad_requests();
    bad_layouts();
    changes_after_driver_ok();
    absurd_accesses();
    read_only_registers();
    notify_storm();
    reset_in_flight();
    start(0);
    check_works();
    print("ok\n");
}
