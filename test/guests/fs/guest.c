/* SPDX-License-Identifier: Apache-2.0
 * Reads a file of the shared directory in slot 0 and writes to it, twice, each time as a driver that knows nothing of the one
 * before; then it ends, or with "w" on the command line spins. */
#include "../lib/fuse.h"

#define SLOT 0
#define VECTOR 40

static volatile uint32_t interrupted;
static const char kGreeting[] = "hello from the host";
static const char kAnswer[] = "hello from the guest";

static void on_queue(void) {
    CHECK(virtio_acknowledge(SLOT) == 1); /* nobody on this machine's side has set it */
    interrupted = 1;
}

static void use_file(const char* expected, uint32_t length) {
    const struct fuse_file file = fuse_open(fuse_look_up(fuse_look_up(FUSE_ROOT, "0"), "greeting"));
    const char* data;
    CHECK(fuse_read(&file, &data) == length && memcmp(data, expected, length) == 0);
    interrupted = 0;
    fuse_write(&file, kAnswer, sizeof kAnswer - 1);
    wait_for(&interrupted);
}

static char action(const uint8_t* zero_page) {
    return *(const char*)(uintptr_t) * (const uint32_t*)(zero_page + 0x228);
}

void guest_main(const uint8_t* zero_page) {
    interrupts_init();
    apic_init();
    virtio_interrupt(SLOT, VECTOR, on_queue);
    fuse_init(SLOT);
    use_file(kGreeting, sizeof kGreeting - 1);
    fuse_destroy();
    CHECK(read32(virtio_base(SLOT) + VIRTIO_INTERRUPT_STATUS) == 0);
    fuse_init(SLOT);
    use_file(kAnswer, sizeof kAnswer - 1);
    print("used\n");
    if (action(zero_page) == 'w')
        for (;;)
            __asm__ volatile("pause");
    print("ok\n");
}
