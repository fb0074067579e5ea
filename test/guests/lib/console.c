/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#include <stdarg.h>

#define COM1 0x3f8
#define LINE_STATUS 5
#define DATA_READY 1

static void put(char c) {
    outb(COM1, (uint8_t)c);
}

static void put_string(const char* text) {
    while (*text)
        put(*text++);
}

static void put_number(uint64_t value, unsigned base) {
    char digits[20];
    unsigned count = 0;
    do
        digits[count++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (count)
        put(digits[--count]);
}

static void put_signed(int64_t value) {
    if (value < 0)
        put('-');
    put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

static void put_argument(char conversion, bool is_long, va_list* arguments) {
    switch (conversion) {
    case 's':
        return put_string(va_arg(*arguments, const char*));
    case 'c':
        return put((char)va_arg(*arguments, int));
    case 'd':
        return put_signed(is_long ? va_arg(*arguments, int64_t) : va_arg(*arguments, int));
    case 'u':
    case 'x': {
        const uint64_t value = is_long ? va_arg(*arguments, uint64_t) : va_arg(*arguments, uint32_t);
        return put_number(value, conversion == 'x' ? 16 : 10);
    }
    default:
        put(conversion);
    }
}

void print(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (; *format; ++format) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        const bool is_long = *++format == 'l';
        format += is_long;
        put_argument(*format, is_long, &arguments);
    }
    va_end(arguments);
}

char read_console(void) {
    while (!(inb(COM1 + LINE_STATUS) & DATA_READY)) {
    }
    return (char)inb(COM1);
}

void fail(const char* file, int line, const char* condition) {
    print("%s:%d: %s does not hold\n", file, line, condition);
    power_off();
}

void power_off(void) {
    for (;;)
        outb(0x64, 0xfe); /* the keyboard controller's reset line */
}
