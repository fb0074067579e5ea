/* SPDX-License-Identifier: Apache-2.0
 * Intel SDM volume 3: paging 4.5, segments 3.4, task state 8.7. */
#include "user_mode.h"

#include "guest.h"

#define USER 4ull
#define LARGE 0x80ull
#define ADDRESS 0xffffffffff000ull
#define INTERRUPT_GATE 0x8e
#define DIVIDE_ERROR 0
#define KERNEL_CODE 0x10
#define TASK_STATE 0x30
#define STACK_PAGES 2

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

extern const uint8_t leave_gate[];
static uint32_t task_state[26];

static void set_gate(uint8_t vector, const uint8_t* code) {
    struct pointer idt;
    __asm__ volatile("sidt %0" : "=m"(idt));
    const uintptr_t at = (uintptr_t)code;
    ((struct gate*)idt.base)[vector] = (struct gate){
        (uint16_t)at, KERNEL_CODE, 0, INTERRUPT_GATE, (uint16_t)(at >> 16), (uint32_t)(at >> 32), 0};
}

/* All that is mapped, from the tables at `table` down. */
static void open_pages(uint64_t* table, unsigned level) {
    for (unsigned i = 0; i < 512; ++i) {
        if (!(table[i] & 1))
            continue;
        table[i] |= USER;
        if (level > 1 && !(table[i] & LARGE))
            open_pages((uint64_t*)(table[i] & ADDRESS), level - 1);
    }
}

static void load_segments(void) {
    const uint64_t stack = (uintptr_t)allocate_pages(STACK_PAGES) + STACK_PAGES * 4096;
    task_state[1] = (uint32_t)stack; /* RSP0 */
    static uint64_t gdt[8] = {
        0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff};
    const uint64_t task = (uintptr_t)task_state;
    gdt[6] = (sizeof task_state - 1) | (task & 0xffffff) << 16 | 0x89ull << 40 | (task >> 24 & 0xff) << 56;
    const struct pointer pointer = {sizeof gdt - 1, (uintptr_t)gdt};
    __asm__ volatile("lgdt %0; ltr %1" : : "m"(pointer), "r"((uint16_t)TASK_STATE));
}

void user_mode_init(void) {
    uint64_t tables;
    __asm__ volatile("mov %%cr3, %0" : "=r"(tables));
    open_pages((uint64_t*)(tables & ADDRESS), 4);
    __asm__ volatile("mov %0, %%cr3" : : "r"(tables) : "memory");
    load_segments();
    set_gate(DIVIDE_ERROR, leave_gate);
}
