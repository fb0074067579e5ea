/* SPDX-License-Identifier: Apache-2.0
 * The library of the bare-metal test guests: everything is identity-mapped, there is one address space and no user
 * mode. Guests are short: guest kernel code may run at half a million instructions a second. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail(__FILE__, __LINE__, #condition);                                                            \
    } while (0)

/* A guest's own code. `zero_page` is what the VMM left in RSI. Returning powers off. */
void guest_main(const uint8_t* zero_page);

/* console.c: the serial port; %s %c %d %u %x %lu %lx. A test passes when the last line is "ok". */
void print(const char* format, ...) __attribute__((format(printf, 1, 2)));
char read_console(void); /* waits for a byte */
void fail(const char* file, int line, const char* condition) __attribute__((noreturn));
void power_off(void) __attribute__((noreturn));

static inline void outb(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint8_t inb(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline uint32_t read32(uintptr_t address) {
    return *(volatile uint32_t*)address;
}
static inline void write32(uintptr_t address, uint32_t value) {
    *(volatile uint32_t*)address = value;
}
static inline uint64_t rdmsr(uint32_t index) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return low | (uint64_t)high << 32;
}
static inline void wrmsr(uint32_t index, uint64_t value) {
    __asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}
static inline void cpuid(uint32_t leaf, uint32_t index, uint32_t out[4]) {
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(index));
}
static inline uint64_t rdtsc(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

/* memory.c */
void* memset(void* to, int value, size_t size);
void* memcpy(void* to, const void* from, size_t size);
int memcmp(const void* a, const void* b, size_t size);
void* allocate_pages(size_t count); /* zeroed, page-aligned, never freed */

/* interrupts.c: vectors 0 to 63. A handler runs with interrupts off and must call apic_eoi() if the APIC sent it. */
typedef void (*interrupt_handler)(void);
void interrupts_init(void); /* per processor; leaves interrupts off */
void on_interrupt(uint8_t vector, interrupt_handler handler);
static inline void interrupts_on(void) {
    __asm__ volatile("sti");
}
static inline void interrupts_off(void) {
    __asm__ volatile("cli");
}
/* Sleeps until `*flag` is not zero; an interrupt handler sets it. Interrupts are off before and after. */
void wait_for(const volatile uint32_t* flag);

/* apic.c */
void apic_init(void);
void apic_eoi(void);
uint32_t apic_id(void);
void apic_timer(uint8_t vector, uint32_t count); /* one shot, divided by 1 */
void apic_send(uint32_t target, uint32_t command);
void ioapic_route(uint32_t pin, uint8_t vector, uint32_t target); /* edge, active high */

/* smp.c: starts processor `id`, which runs `entry` and then halts. Waits until it does. */
void start_processor(uint32_t id, void (*entry)(void));
