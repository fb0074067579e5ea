/* SPDX-License-Identifier: Apache-2.0
 * Stands for a kernel with its memory: writes 24 MiB, is saved, and then sends dots until a byte comes. Then it does what an idle
 * kernel may do to its memory in a copy: reads 16 MiB of it, writes 6 MiB. */
#include "guest.h"

#define MIB_PAGES 256u
#define WRITTEN_BEFORE (24 * MIB_PAGES)
#define READ_AFTER (16 * MIB_PAGES)
#define WRITTEN_AFTER (6 * MIB_PAGES)
#define PAGE_WORDS 512u

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    volatile uint64_t* memory = allocate_pages(WRITTEN_BEFORE);
    for (unsigned i = 0; i < WRITTEN_BEFORE; ++i)
        memory[i * PAGE_WORDS] = i + 1;
    print("saved here\n");
    while (!(inb(0x3fd) & 1))
        outb(0x3f8, '.');
    for (unsigned i = 0; i < READ_AFTER; ++i)
        CHECK(memory[i * PAGE_WORDS] == i + 1);
    for (unsigned i = 0; i < WRITTEN_AFTER; ++i)
        memory[i * PAGE_WORDS] = 0;
    print("touched\n");
    for (;;)
        __asm__ volatile("cli; hlt");
}
