/* SPDX-License-Identifier: Apache-2.0
 * Does what the command line says: wild accesses that must harm nobody, or ends that the VMM must report. */
#include "../lib/guest.h"

static char action(const uint8_t* zero_page) {
    return *(const char*)(uintptr_t) * (const uint32_t*)(zero_page + 0x228);
}

static void touch_everything(void) {
    for (uint32_t port = 0; port < 0x400; port += 1)
        if (port < 0x60 || port > 0x64)
            (void)inb((uint16_t)port);
    for (uint64_t address = 0xd0000000; address < 0xd0020000; address += 0x1000) {
        CHECK(read32(address) == 0xffffffff); /* no device: the bus floats */
        write32(address + 0x70, 0xffffffff);
    }
    CHECK(*(volatile uint64_t*)0xd0001ffc == ~0ull);
}

void guest_main(const uint8_t* zero_page) {
    switch (action(zero_page)) {
    case 't': /* triple fault: no IDT is there */
        __asm__ volatile("ud2");
        break;
    case 's':
        for (;;)
            __asm__ volatile("pause");
    default:
        touch_everything();
        print("ok\n");
    }
}
