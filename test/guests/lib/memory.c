/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

extern uint8_t guest_end[];
static uintptr_t next_page;

void* memset(void* to, int value, size_t size) {
    void* start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return start;
}

void* memcpy(void* to, const void* from, size_t size) {
    void* start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}

int memcmp(const void* a, const void* b, size_t size) {
    const uint8_t *left = a, *right = b;
    for (size_t i = 0; i < size; ++i)
        if (left[i] != right[i])
            return left[i] - right[i];
    return 0;
}

/* Memory behind the guest is fresh, and so zero. */
void* allocate_pages(size_t count) {
    if (!next_page)
        next_page = (uintptr_t)guest_end;
    void* pages = (void*)next_page;
    next_page += count * 4096;
    return pages;
}
