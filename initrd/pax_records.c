/* SPDX-License-Identifier: Apache-2.0 */
#include "pax_records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct pax_records* records, size_t more) {
    size_t needed = records->length + more;
    if (needed <= records->capacity)
        return 0;
    char* data = realloc(records->data, needed * 2);
    if (!data)
        return -1;
    records->data = data;
    records->capacity = needed * 2;
    return 0;
}

static size_t digits(size_t number) {
    size_t count = 1;
    while (number >= 10) {
        number /= 10;
        count++;
    }
    return count;
}

/* A record's length counts its own digits. */
static size_t record_length(size_t rest) {
    size_t length = rest + digits(rest);
    return rest + digits(length);
}

int pax_add(struct pax_records* records, const char* key, const void* value, size_t length) {
    size_t total = record_length(strlen(key) + length + sizeof(" =\n") - 1);
    if (reserve(records, total + 1) < 0)
        return -1;
    char* at = records->data + records->length;
    int head = sprintf(at, "%zu %s=", total, key);
    memcpy(at + head, value, length);
    at[total - 1] = '\n';
    records->length += total;
    return 0;
}

int pax_add_string(struct pax_records* records, const char* key, const char* value) {
    return pax_add(records, key, value, strlen(value));
}

int pax_add_number(struct pax_records* records, const char* key, uint64_t value) {
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return pax_add_string(records, key, text);
}

void pax_clear(struct pax_records* records) {
    records->length = 0;
}

void pax_free(struct pax_records* records) {
    free(records->data);
    *records = (struct pax_records){0};
}
