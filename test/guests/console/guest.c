/* SPDX-License-Identifier: Apache-2.0
 * A console in slot 0: tells its size, sends back every line until one begins with '.', then writes a lot. */
#include "../lib/virtio.h"

#define CONSOLE 3
#define F_SIZE 1
#define EMERGENCY (VIRTIO_CONFIG + 8)
#define VECTOR 40
#define LOT (256 * 1024u)

static struct virtio_queue rx, tx;
static volatile uint32_t interrupted, resized;

static void on_interrupt_of_slot(void) {
    resized |= virtio_acknowledge(0) & 2;
    interrupted = 1;
}

static void send(const void* data, uint32_t length) {
    virtio_add(&tx, (struct virtio_buffer[]){{(void*)(uintptr_t)data, length, false}}, 1);
    virtio_notify(&tx);
    virtio_take(&tx, NULL);
}

static uint32_t receive(char* data, uint32_t size) {
    virtio_add(&rx, (struct virtio_buffer[]){{data, size, true}}, 1);
    virtio_notify(&rx);
    while (!virtio_has_used(&rx)) {
        wait_for(&interrupted);
        interrupted = 0;
    }
    return virtio_take(&rx, NULL);
}

static uint32_t size(void) {
    return read32(virtio_base(0) + VIRTIO_CONFIG);
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    apic_init();
    char* line = allocate_pages(1);
    char* lot = allocate_pages(LOT / 4096);
    CHECK(virtio_negotiate(0, CONSOLE, F_SIZE) & F_SIZE);
    CHECK(size() == (24u << 16 | 80));
    virtio_setup_queue(&rx, 0, 0, 8);
    virtio_setup_queue(&tx, 0, 1, 8);
    virtio_interrupt(0, VECTOR, on_interrupt_of_slot);
    virtio_driver_ok(0);
    write32(virtio_base(0) + EMERGENCY, '!');
    do {
        const uint32_t length = receive(line, 7);
        CHECK(length > 0 && length <= 7);
        send(line, length);
    } while (line[0] != '.');
    wait_for(&resized);
    CHECK(read32(virtio_base(0) + VIRTIO_CONFIG_GENERATION) == 1);
    CHECK(!(read32(virtio_base(0) + VIRTIO_INTERRUPT_STATUS) & 2)); /* acknowledged */
    CHECK(size() == (50u << 16 | 132));
    memset(lot, 'x', LOT);
    send(lot, LOT);
    print("ok\n");
}
