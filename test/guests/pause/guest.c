/* SPDX-License-Identifier: Apache-2.0
 * Counts in memory that the host looks at, on all processors, until a byte comes on the console. */
#include "../lib/guest.h"

#define COUNTERS 0x80000

static volatile uint32_t done;

static void count(void) {
    volatile uint64_t* counter = (volatile uint64_t*)(uintptr_t)COUNTERS + apic_id();
    while (!done)
        ++*counter;
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    apic_init();
    start_processor(1, count);
    print("counting\n");
    volatile uint64_t* counter = (volatile uint64_t*)(uintptr_t)COUNTERS;
    while (!(inb(0x3fd) & 1))
        ++*counter;
    done = 1;
    print("ok\n");
}
