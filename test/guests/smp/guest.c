/* SPDX-License-Identifier: Apache-2.0
 * The first processor finds the others in the MP table, starts each, and each answers an IPI with one of its own. */
#include "../lib/guest.h"

#define PING 40
#define PONG 41
#define FLOATING_POINTER 0x9fc00

static volatile uint32_t pinged, ponged;

static void ping(void) {
    apic_eoi();
    pinged = 1;
}

static void pong(void) {
    apic_eoi();
    ponged = 1;
}

static void processor_main(void) {
    wait_for(&pinged);
    print("processor %u\n", apic_id());
    apic_send(0, PONG);
}

/* Intel MP specification 4.3.1: 20-byte processor entries come first. */
static unsigned enabled_processors(void) {
    const uint8_t* table = (const uint8_t*)(uintptr_t)read32(FLOATING_POINTER + 4);
    unsigned count = 0;
    for (const uint8_t* entry = table + 44; entry[0] == 0; entry += 20)
        count += entry[3] & 1;
    return count;
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    apic_init();
    on_interrupt(PING, ping);
    on_interrupt(PONG, pong);
    const unsigned count = enabled_processors();
    for (uint32_t id = 1; id < count; ++id) {
        pinged = ponged = 0;
        start_processor(id, processor_main);
        apic_send(id, PING);
        wait_for(&ponged);
    }
    print("%u processors\nok\n", count);
}
