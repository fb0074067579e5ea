/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of passwd(5) and group(5) files, field by field, without copying.
 */
#ifndef HRUN_ACCOUNT_LINES_H
#define HRUN_ACCOUNT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field {
    const char* at;
    size_t length;
};

struct account_line {
    struct field fields[7];
    size_t count;
};

/* Takes the next non-empty line of `left` bytes at `text` and splits it at colons; what is after the seventh
 * field is dropped. Returns false at the end. */
bool account_line_next(const char** text, size_t* left, struct account_line* line);

/* A decimal id of 0 to 2147483647, Docker's range, all of the field. */
bool field_id(struct field field, uint32_t* id);

/* Takes the next item of a comma-separated field, which may be empty. Returns false when none is left. */
bool field_next_item(struct field* list, struct field* item);

#endif
