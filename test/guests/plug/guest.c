/* SPDX-License-Identifier: Apache-2.0
 * A slot in which a console comes and goes, eight times: the guest uses it with interrupts while it is there. A second processor
 * looks at the slot all the while. */
#include "../lib/virtio.h"

#define SLOT 5
#define CONSOLE 3
#define VECTOR 40
#define ROUNDS 8
#define MAGIC 0x74726976u

static struct virtio_queue rx, tx;
static volatile uint32_t interrupted;

/* The last one of a device may come when it is gone. */
static void on_interrupt_of_slot(void) {
    if (virtio_acknowledge(SLOT) & 1)
        interrupted = 1;
}

static uint32_t device_id(void) {
    return read32(virtio_base(SLOT) + VIRTIO_DEVICE_ID);
}

static void look(void) {
    for (;;) {
        const uint32_t id = device_id();
        CHECK(id == 0 || id == CONSOLE);
        CHECK(read32(virtio_base(SLOT) + VIRTIO_MAGIC) == MAGIC);
    }
}

static void start_device(void) {
    virtio_negotiate(SLOT, CONSOLE, 0);
    CHECK(read32(virtio_base(SLOT) + VIRTIO_INTERRUPT_STATUS) == 0);
    virtio_setup_queue(&rx, SLOT, 0, 8);
    virtio_setup_queue(&tx, SLOT, 1, 8);
    virtio_driver_ok(SLOT);
}

/* Echoes one byte: both queues, and the interrupt of one. */
static void echo(uint8_t* byte) {
    interrupted = 0;
    virtio_add(&rx, (struct virtio_buffer[]){{byte, 1, true}}, 1);
    virtio_notify(&rx);
    while (!virtio_has_used(&rx)) {
        wait_for(&interrupted);
        interrupted = 0;
    }
    CHECK(virtio_take(&rx, NULL) == 1);
    virtio_add(&tx, (struct virtio_buffer[]){{byte, 1, false}}, 1);
    virtio_notify(&tx);
    virtio_take(&tx, NULL);
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    apic_init();
    virtio_interrupt(SLOT, VECTOR, on_interrupt_of_slot);
    start_processor(1, look);
    uint8_t* byte = allocate_pages(1);
    for (unsigned round = 0; round < ROUNDS; ++round) {
        CHECK(device_id() == 0);
        CHECK(read32(virtio_base(SLOT) + VIRTIO_VERSION) == 2);
        write32(virtio_base(SLOT) + VIRTIO_QUEUE_NOTIFY, 0); /* nobody hears it */
        print("empty %u\n", round);
        while (device_id() == 0) {
        }
        start_device();
        echo(byte);
        print("echoed %u\n", round);
        while (device_id() != 0) {
        }
    }
    print("ok\n");
}
