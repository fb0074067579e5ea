/* SPDX-License-Identifier: Apache-2.0
 * A driver that breaks the rules, on an entropy device, a console, a balloon and a network card of two pairs of queues in slots 0
 * to 3. The host keeps input waiting on the last three. After each attempt the device has gone into DEVICE_NEEDS_RESET or has taken no
 * notice, and works again after a reset. */
#include "../lib/virtio.h"

#define SIZE 16

static const struct {
    const char* name;
    uint32_t id;
    unsigned queues;
    uint32_t features;
} devices[] = {{"rng", 4, 1, 0},
               {"console", 3, 2, 1},
               {"balloon", 5, 4, 2 | 32},
               {"net", 1, 5, 1u << 15 | 1u << 17 | 1u << 22}};

static struct virtio_queue queues[ARRAY_SIZE(devices)][5];
static uint8_t* page;
static uint8_t* command; /* of the network card's control queue, and its answer behind */
static unsigned refused;

static bool needs_reset(unsigned slot) {
    return read32(virtio_base(slot) + VIRTIO_STATUS) & VIRTIO_NEEDS_RESET;
}

/* Queues keep their memory from start to start. */
static void setup_again(struct virtio_queue* queue) {
    memset(queue->descriptors, 0, 3 * 4096);
    queue->next_free = queue->seen = 0;
    const uint32_t base = queue->base;
    write32(base + VIRTIO_QUEUE_SEL, queue->number);
    write32(base + VIRTIO_QUEUE_NUM, queue->size);
    write32(base + VIRTIO_QUEUE_DESC, (uint32_t)(uintptr_t)queue->descriptors);
    write32(base + VIRTIO_QUEUE_DRIVER, (uint32_t)(uintptr_t)queue->avail);
    write32(base + VIRTIO_QUEUE_DEVICE, (uint32_t)(uintptr_t)queue->used);
    write32(base + VIRTIO_QUEUE_READY, 1);
}

static uint32_t use_pairs(uint16_t pairs) {
    struct virtio_queue* control = &queues[3][4];
    memcpy(command, (uint8_t[]){4, 0, (uint8_t)pairs, (uint8_t)(pairs >> 8), 0xff}, 5);
    virtio_add(control, (struct virtio_buffer[]){{command, 4, false}, {command + 4, 1, true}}, 2);
    virtio_notify(control);
    CHECK(virtio_take(control, NULL) == 1);
    return command[4];
}

static void start(unsigned slot) {
    virtio_negotiate(slot, devices[slot].id, devices[slot].features);
    for (unsigned i = 0; i < devices[slot].queues; ++i) {
        if (queues[slot][i].size)
            setup_again(&queues[slot][i]);
        else
            virtio_setup_queue(&queues[slot][i], slot, (uint16_t)i, SIZE);
    }
    virtio_driver_ok(slot);
    if (slot == 3)
        CHECK(use_pairs(2) == 0);
}

static void offer(struct virtio_queue* queue, uint16_t head) {
    queue->avail->ring[queue->avail->index % SIZE] = head;
    __asm__ volatile("" : : : "memory");
    queue->avail->index = (uint16_t)(queue->avail->index + 1);
    virtio_notify(queue);
}

static void break_queue(unsigned slot, unsigned number) {
    const struct virtio_descriptor bad[] = {
        {(uintptr_t)page, 16, VIRTIO_DESC_NEXT, 0},     /* a loop */
        {(uintptr_t)page, 16, VIRTIO_DESC_NEXT, SIZE},  /* a next past the table */
        {0x80000000, 16, 0, 0},                         /* memory that is not there */
        {~0ull - 7, 16, VIRTIO_DESC_WRITE, 0},          /* the end of all addresses */
        {(uintptr_t)page, 0, 0, 0},                     /* nothing */
        {(uintptr_t)page, ~0u, VIRTIO_DESC_WRITE, 0},   /* more than there is */
        {(uintptr_t)page, 16, VIRTIO_DESC_INDIRECT, 0}, /* not agreed on */
    };
    struct virtio_queue* queue = &queues[slot][number];
    for (unsigned i = 0; i < ARRAY_SIZE(bad) + 2; ++i) {
        start(slot);
        queue->descriptors[0] = bad[i % ARRAY_SIZE(bad)];
        if (i == ARRAY_SIZE(bad))
            queue->avail->index = 1000; /* ran away */
        offer(queue, i > ARRAY_SIZE(bad) ? SIZE : 0);
        while (!needs_reset(slot))
            __asm__ volatile("pause");
        virtio_notify(queue); /* to a broken queue: nothing */
        ++refused;
    }
}

static uint32_t run(unsigned slot, unsigned number, void* data, uint32_t length, bool device_writes) {
    struct virtio_queue* queue = &queues[slot][number];
    virtio_add(queue, (struct virtio_buffer[]){{data, length, device_writes}}, 1);
    virtio_notify(queue);
    return virtio_take(queue, NULL);
}

static void check_works(unsigned slot) {
    start(slot);
    memset(page, 0, 64);
    switch (slot) {
    case 0:
        CHECK(run(0, 0, page, 16, true) == 16);
        break;
    case 1:
        CHECK(run(1, 0, page, 16, true) == 16 && page[0] == 'i');
        CHECK(run(1, 1, page, 3, false) == 0);
        break;
    case 2:
        *(uint32_t*)page = (uint32_t)((uintptr_t)page / 4096) + 1;
        page[4096] = 7;
        CHECK(run(2, 0, page, 4, false) == 0);
        CHECK(page[4096] == 0);
        break;
    case 3:
        for (unsigned pair = 0; pair < 2; ++pair) {
            CHECK(run(3, 2 * pair, page, 2048, true) > 12);
            memset(page, 0, 12);
            CHECK(run(3, 2 * pair + 1, page, 72, false) == 0);
        }
        break;
    }
}

/* Chains by the rules whose contents make no sense. */
static void absurd_requests(void) {
    start(0);
    CHECK(run(0, 0, page, 64, false) == 0);
    start(1);
    CHECK(run(1, 1, page, 64, true) == 0);
    CHECK(run(1, 0, page, 64, false) == 0);
    start(2);
    memset(page, 0xff, 4096);
    CHECK(run(2, 0, page, 4095, false) == 0); /* frames that are not memory, and three quarters of one */
    CHECK(run(2, 0, page, 64, true) == 0);
    CHECK(run(2, 1, page, 4095, false) == 0);
    CHECK(run(2, 3, page, 4096, false) == 0);
    CHECK(run(2, 3, page + 1, 4095, true) == 0);
    CHECK(page[0] == 0xff && page[4095] == 0xff);
    start(3);
    CHECK(run(3, 1, page, 11, false) == 0);
    CHECK(run(3, 1, page, 12, false) == 0);
    CHECK(run(3, 1, page, 4096, false) == 0); /* a header of ones */
    memset(page, 0, 12);
    CHECK(run(3, 1, page, 65563, false) == 0); /* one byte more than the longest packet */
    CHECK(run(3, 1, page, 64, true) == 0);
    CHECK(use_pairs(0) == 1 && use_pairs(3) == 1 && use_pairs(0x8000) == 1 && use_pairs(0xffff) == 1);
    memcpy(page, (uint8_t[]){4, 0, 1, 0}, 4);
    CHECK(run(3, 4, page, 4, false) == 0); /* a command without room for an answer */
    CHECK(run(3, 4, page, 64, true) == 1); /* an answer to nothing: one byte, that it is an error */
    CHECK(page[0] == 1 && page[1] == 0);
    CHECK(run(3, 3, page, 11, false) == 0); /* the second pair is still in use */
    print("unmoved by absurd requests\n");
}

static void absurd_config(unsigned slot) {
    start(slot);
    const uintptr_t config = virtio_base(slot) + VIRTIO_CONFIG;
    for (unsigned at = 0; at < 64; ++at) {
        if (devices[slot].id != 3 || at + 8 <= 8 || at >= 12) /* not the console's emergency write */
            *(volatile uint64_t*)(config + at) = ~0ull;
        (void)*(volatile uint64_t*)(config + at);
        (void)*(volatile uint8_t*)(config + at * 60);
        (void)*(volatile uint16_t*)(config + at * 59);
    }
    *(volatile uint64_t*)(config + 0xefc) = 1; /* across the end of the slot */
    (void)*(volatile uint64_t*)(config + 0xefc);
    CHECK(!needs_reset(slot));
}

static void notify_storm(unsigned slot) {
    start(slot);
    for (unsigned i = 0; i < 300; ++i)
        virtio_notify(&queues[slot][i % devices[slot].queues]);
    CHECK(!needs_reset(slot));
}

/* The balloon is given the pages of its own rings, and whatever the driver still has there. */
static void give_away_the_rings(void) {
    start(2);
    *(uint32_t*)page = (uint32_t)((uintptr_t)queues[2][0].descriptors / 4096);
    *(uint32_t*)(page + 4) = *(uint32_t*)page + 1;
    *(uint32_t*)(page + 8) = *(uint32_t*)page + 2;
    virtio_add(&queues[2][0], (struct virtio_buffer[]){{page, 12, false}}, 1);
    virtio_notify(&queues[2][0]);
    while (queues[2][0].avail->index)
        __asm__ volatile("pause");
    print("gave its rings away\n");
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    page = allocate_pages(32);
    command = allocate_pages(1);
    for (unsigned slot = 0; slot < ARRAY_SIZE(devices); ++slot) {
        check_works(slot);
        for (unsigned i = 0; i < devices[slot].queues; ++i)
            break_queue(slot, i);
        absurd_config(slot);
        notify_storm(slot);
        check_works(slot);
        print("%s works after %u refusals\n", devices[slot].name, refused);
    }
    absurd_requests();
    give_away_the_rings();
    for (unsigned slot = 0; slot < ARRAY_SIZE(devices); ++slot)
        check_works(slot);
    print("ok\n");
}
