/* SPDX-License-Identifier: Apache-2.0
 * The local APIC's timer, and the PIT through the IOAPIC's pin 0. */
#include "../lib/guest.h"

#define APIC_VECTOR 40
#define PIT_VECTOR 41

static volatile uint32_t apic_ticked, pit_ticked;

static void apic_tick(void) {
    apic_eoi();
    apic_ticked = 1;
}

static void pit_tick(void) {
    apic_eoi();
    ++pit_ticked;
}

/* Channel 0, mode 2, 1193182 Hz / 11932: every 10 ms. */
static void start_pit(void) {
    outb(0x43, 0x34);
    outb(0x40, 11932 & 0xff);
    outb(0x40, 11932 >> 8);
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    apic_init();
    on_interrupt(APIC_VECTOR, apic_tick);
    on_interrupt(PIT_VECTOR, pit_tick);
    apic_timer(APIC_VECTOR, 1000000); /* KVM's APIC bus runs at 1 GHz: 1 ms */
    wait_for(&apic_ticked);
    print("local APIC timer\n");
    ioapic_route(0, PIT_VECTOR, 0);
    start_pit();
    wait_for(&pit_ticked);
    print("PIT\nok\n");
}
