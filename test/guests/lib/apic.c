/* SPDX-License-Identifier: Apache-2.0
 * Intel SDM volume 3, chapter 11; 82093AA data sheet for the IOAPIC. */
#include "guest.h"

#define LOCAL_APIC 0xfee00000u
#define APIC_ID 0x20
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_COMMAND_LOW 0x300
#define APIC_COMMAND_HIGH 0x310
#define APIC_TIMER 0x320
#define APIC_TIMER_COUNT 0x380
#define APIC_TIMER_DIVIDE 0x3e0
#define SPURIOUS_VECTOR 63
#define COMMAND_PENDING (1u << 12)

#define IOAPIC 0xfec00000u
#define IOAPIC_REDIRECTION 0x10

static void spurious(void) {}

void apic_init(void) {
    on_interrupt(SPURIOUS_VECTOR, spurious);
    outb(0x21, 0xff); /* the PICs say nothing more */
    outb(0xa1, 0xff);
    write32(LOCAL_APIC + APIC_SPURIOUS, 1u << 8 | SPURIOUS_VECTOR);
}

void apic_eoi(void) {
    write32(LOCAL_APIC + APIC_EOI, 0);
}

uint32_t apic_id(void) {
    return read32(LOCAL_APIC + APIC_ID) >> 24;
}

void apic_timer(uint8_t vector, uint32_t count) {
    write32(LOCAL_APIC + APIC_TIMER_DIVIDE, 0xb); /* by 1 */
    write32(LOCAL_APIC + APIC_TIMER, vector);
    write32(LOCAL_APIC + APIC_TIMER_COUNT, count);
}

void apic_send(uint32_t target, uint32_t command) {
    write32(LOCAL_APIC + APIC_COMMAND_HIGH, target << 24);
    write32(LOCAL_APIC + APIC_COMMAND_LOW, command);
    while (read32(LOCAL_APIC + APIC_COMMAND_LOW) & COMMAND_PENDING) {
    }
}

static void ioapic_write(uint32_t index, uint32_t value) {
    write32(IOAPIC, index);
    write32(IOAPIC + 0x10, value);
}

void ioapic_route(uint32_t pin, uint8_t vector, uint32_t target) {
    ioapic_write(IOAPIC_REDIRECTION + 2 * pin + 1, target << 24);
    ioapic_write(IOAPIC_REDIRECTION + 2 * pin, vector);
}
