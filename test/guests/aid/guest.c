/* SPDX-License-Identifier: Apache-2.0
 * Instructions that an emulator may leave to the VMM (native/vmm/software_kvm.h), and that a processor simply runs. */
#include "../lib/guest.h"

#define BREAKPOINT 3

static volatile uint32_t breakpoints;

static void on_breakpoint(void) {
    ++breakpoints;
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    on_interrupt(BREAKPOINT, on_breakpoint);
    uint64_t before = 1, after = 2;
    __asm__ volatile("fwait; int3; mov $3, %0; int3; fwait; mov $4, %1" : "=r"(before), "=r"(after));
    CHECK(breakpoints == 2);
    CHECK(before == 3 && after == 4);
    print("ok\n");
}
