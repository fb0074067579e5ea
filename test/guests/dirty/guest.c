/* SPDX-License-Identifier: Apache-2.0
 * Writes to chosen pages, each round when a byte comes on the console. */
#include "../lib/guest.h"

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    print("ready\n");
    for (char round = read_console(); round != 'q'; round = read_console()) {
        *(volatile uint8_t*)0x400123 = (uint8_t)round;
        *(volatile uint8_t*)0x401000 = (uint8_t)round;
        *(volatile uint8_t*)0x7ff000 = (uint8_t)round;
        print("wrote %c\n", round);
    }
    print("ok\n");
}
