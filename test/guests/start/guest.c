/* SPDX-License-Identifier: Apache-2.0
 * Says at once that it runs: for the bench of the start-up. */
#include "../lib/guest.h"

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    outb(0x3f8, '!');
}
