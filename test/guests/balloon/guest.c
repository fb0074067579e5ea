/* SPDX-License-Identifier: Apache-2.0
 * A balloon in slot 0. Uses 4 MiB, lends half of it, takes a part back, reports the rest as free; the host looks at its
 * memory at each step and answers with a byte on the serial port. */
#include "../lib/virtio.h"

#define BALLOON 5
#define MUST_TELL_HOST 1
#define STATS 2
#define REPORTING 32
#define TARGET VIRTIO_CONFIG
#define ACTUAL (VIRTIO_CONFIG + 4)
#define PAGES 1024u
#define LENT 512u
#define PER_REQUEST 256u

static struct virtio_queue inflate, deflate, stats, reporting;
static uint32_t frames[PER_REQUEST];
static uint8_t* memory;

static void step(const char* name) {
    print("%s\n", name);
    read_console();
}

static void touch_all(void) {
    for (unsigned i = 0; i < PAGES; ++i)
        *(volatile uint32_t*)(memory + i * 4096) = i + 1;
}

/* Frames of the memory from page `first` on, in no particular order. */
static void tell(struct virtio_queue* queue, unsigned first, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
        frames[i] = (uint32_t)((uintptr_t)memory / 4096 + first + (i ^ 5));
    virtio_add(queue, (struct virtio_buffer[]){{frames, count * 4, false}}, 1);
    virtio_notify(queue);
    CHECK(virtio_take(queue, NULL) == 0);
}

static uint32_t page(unsigned index) {
    return *(volatile uint32_t*)(memory + index * 4096);
}

static void lend_and_take_back(void) {
    while (read32(virtio_base(0) + TARGET) != LENT)
        __asm__ volatile("pause");
    for (unsigned first = 0; first < LENT; first += PER_REQUEST)
        tell(&inflate, first, PER_REQUEST);
    write32(virtio_base(0) + ACTUAL, LENT);
    step("lent");
    tell(&deflate, 0, PER_REQUEST);
    write32(virtio_base(0) + ACTUAL, LENT - PER_REQUEST);
    CHECK(page(3) == 0);           /* came back empty */
    CHECK(page(LENT) == LENT + 1); /* was never lent */
    step("taken back");
}

static void report(void) {
    virtio_add(&reporting,
               (struct virtio_buffer[]){{memory + LENT * 4096, 4096 * 256, true},
                                        {memory + (LENT + 256) * 4096, 4096 * 255, true}},
               2);
    virtio_notify(&reporting);
    CHECK(virtio_take(&reporting, NULL) == 0);
    CHECK(page(PAGES - 1) == PAGES); /* the last was not reported */
    step("reported");
}

static void tell_stats(void) {
    static struct {
        uint16_t tag;
        uint64_t value;
    } __attribute__((packed)) numbers[] = {{4, 1234}, {5, 5678}};
    const struct virtio_buffer buffer = {numbers, sizeof numbers, false};
    virtio_add(&stats, &buffer, 1);
    virtio_notify(&stats);
    step("stats");
    virtio_take(&stats, NULL); /* the host asks again */
    numbers[0].value = 4321;
    virtio_add(&stats, &buffer, 1);
    virtio_notify(&stats);
    step("stats again");
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    memory = allocate_pages(PAGES);
    const uint64_t features = MUST_TELL_HOST | STATS | REPORTING;
    CHECK(virtio_negotiate(0, BALLOON, features) == (features | VIRTIO_F_VERSION_1));
    virtio_setup_queue(&inflate, 0, 0, 8);
    virtio_setup_queue(&deflate, 0, 1, 8);
    virtio_setup_queue(&stats, 0, 2, 8);
    virtio_setup_queue(&reporting, 0, 3, 8);
    virtio_driver_ok(0);
    touch_all();
    step("used");
    lend_and_take_back();
    report();
    tell_stats();
    print("ok\n");
}
