/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#define VECTORS 64
#define CODE_SELECTOR 0x10
#define INTERRUPT_GATE 0x8e

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct frame {
    uint64_t vector, error_code, rip, cs, rflags, rsp, ss;
};

extern const uint64_t isr_stubs[VECTORS];
static struct gate idt[VECTORS];
static interrupt_handler handlers[VECTORS];

void interrupts_init(void) {
    for (unsigned i = 0; i < VECTORS; ++i)
        idt[i] = (struct gate){(uint16_t)isr_stubs[i],
                               CODE_SELECTOR,
                               0,
                               INTERRUPT_GATE,
                               (uint16_t)(isr_stubs[i] >> 16),
                               (uint32_t)(isr_stubs[i] >> 32),
                               0};
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = {sizeof idt - 1, (uintptr_t)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void on_interrupt(uint8_t vector, interrupt_handler handler) {
    handlers[vector] = handler;
}

void interrupt(uint64_t vector, const struct frame* frame);
void interrupt(uint64_t vector, const struct frame* frame) {
    if (handlers[vector]) {
        handlers[vector]();
        return;
    }
    print("vector %lu error %lx at %lx\n", vector, frame->error_code, frame->rip);
    power_off();
}

/* STI takes effect after the next instruction, so no interrupt falls between the look and the sleep. */
void wait_for(const volatile uint32_t* flag) {
    while (!*flag)
        __asm__ volatile("sti; hlt; cli" : : : "memory");
}
