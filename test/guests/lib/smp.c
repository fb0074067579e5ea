/* SPDX-License-Identifier: Apache-2.0
 * Starting processors: INIT, then SIPI (Intel SDM volume 3, 9.4). */
#include "guest.h"

#define COMMAND_INIT 0x4500u
#define COMMAND_STARTUP 0x4600u
#define STACK_PAGES 2

extern const uint8_t trampoline[], trampoline_end[];
void* ap_stack; /* read by the trampoline */
static void (*volatile ap_function)(void);
static volatile uint32_t ap_running;

void ap_main(void);
void ap_main(void) {
    void (*function)(void) = ap_function;
    interrupts_init();
    apic_init();
    ap_running = 1;
    function();
}

void start_processor(uint32_t id, void (*entry)(void)) {
    memcpy((void*)TRAMPOLINE, trampoline, (size_t)(trampoline_end - trampoline));
    ap_stack = (uint8_t*)allocate_pages(STACK_PAGES) + STACK_PAGES * 4096;
    ap_function = entry;
    ap_running = 0;
    apic_send(id, COMMAND_INIT);
    apic_send(id, COMMAND_STARTUP | TRAMPOLINE >> 12);
    while (!ap_running)
        __asm__ volatile("pause");
}
