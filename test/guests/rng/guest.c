/* SPDX-License-Identifier: Apache-2.0
 * Asks the entropy device in slot 0 for bytes: a few, by interrupt, and more than it gives at once. */
#include "../lib/virtio.h"

#define ENTROPY 4
#define VECTOR 40
#define MOST 4096u

static struct virtio_queue queue;
static volatile uint32_t interrupted;

static void on_queue(void) {
    CHECK(virtio_acknowledge(0) == 1);
    interrupted = 1;
}

static uint32_t fill(uint8_t* data, uint32_t length) {
    virtio_add(&queue, (struct virtio_buffer[]){{data, length, true}}, 1);
    interrupted = 0;
    virtio_notify(&queue);
    wait_for(&interrupted);
    CHECK(virtio_has_used(&queue));
    return virtio_take(&queue, NULL);
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    apic_init();
    uint8_t* data = allocate_pages(3);
    virtio_negotiate(0, ENTROPY, 0);
    CHECK(read32(virtio_base(0) + VIRTIO_CONFIG) == 0);
    virtio_setup_queue(&queue, 0, 0, 8);
    virtio_interrupt(0, VECTOR, on_queue);
    virtio_driver_ok(0);
    CHECK(fill(data, 32) == 32);
    CHECK(fill(data + 32, 32) == 32);
    CHECK(memcmp(data, data + 32, 32) != 0);
    CHECK(data[64] == 0);
    CHECK(fill(data, 2 * MOST) == MOST);
    CHECK(*(uint64_t*)(data + MOST - 8) != 0);
    CHECK(*(uint64_t*)(data + MOST) == 0);
    print("ok\n");
}
