/* SPDX-License-Identifier: Apache-2.0
 * 16550A, with its receive interrupt. */
#include "bench.h"

#define COM1 0x3f8
#define INTERRUPT_ENABLE (COM1 + 1)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)
#define DATA_READY 1
#define COM1_LINE 4
#define VECTOR 42
#define LINE_SIZE 16

static char line[LINE_SIZE];
static unsigned length;
static volatile uint32_t complete;

static void on_byte(void) {
    while (inb(LINE_STATUS) & DATA_READY) {
        const char byte = (char)inb(COM1);
        if (byte == '\n')
            complete = 1;
        else if (length < LINE_SIZE)
            line[length++] = byte;
    }
    apic_eoi();
}

void commands_init(void) {
    on_interrupt(VECTOR, on_byte);
    ioapic_route(COM1_LINE, VECTOR, apic_id());
    outb(MODEM_CONTROL, 0x0b);
    outb(INTERRUPT_ENABLE, 1);
}

struct run next_command(void) {
    wait_for(&complete);
    struct run run = {line[0], line[1] == '!', 0};
    for (unsigned i = run.alone ? 2 : 1; i < length; ++i)
        run.count = run.count * 10 + (uint32_t)(line[i] - '0');
    length = 0;
    complete = 0;
    return run;
}
