/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of a pax extended header being written: "LENGTH KEY=VALUE\n" each.
 */
#ifndef HRUN_PAX_RECORDS_H
#define HRUN_PAX_RECORDS_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed is empty. */
struct pax_records {
    char* data;
    size_t length;
    size_t capacity;
};

/* Appends a record; `value` may hold any byte. Returns -1 with errno when memory is out. */
int pax_add(struct pax_records* records, const char* key, const void* value, size_t length);
int pax_add_string(struct pax_records* records, const char* key, const char* value);
int pax_add_number(struct pax_records* records, const char* key, uint64_t value);

/* Empties the records and keeps the memory for the next. */
void pax_clear(struct pax_records* records);
void pax_free(struct pax_records* records);

#endif
