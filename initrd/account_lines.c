/* SPDX-License-Identifier: Apache-2.0 */
#include "account_lines.h"

#include <string.h>

#define MAX_ID 2147483647u

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static struct field trimmed(struct field field) {
    while (field.length > 0 && is_blank(field.at[0])) {
        field.at++;
        field.length--;
    }
    while (field.length > 0 && is_blank(field.at[field.length - 1]))
        field.length--;
    return field;
}

/* Cuts off everything up to `separator`, which is consumed too. */
static struct field cut(const char** text, size_t* left, char separator) {
    const char* end = memchr(*text, separator, *left);
    struct field field = {*text, end ? (size_t)(end - *text) : *left};
    size_t taken = end ? field.length + 1 : field.length;
    *text += taken;
    *left -= taken;
    return field;
}

static void split(struct field line, struct account_line* out) {
    const size_t most = sizeof(out->fields) / sizeof(out->fields[0]);
    out->count = 0;
    for (bool more = true; more && out->count < most;) {
        const char* colon = memchr(line.at, ':', line.length);
        more = colon != NULL;
        size_t length = more ? (size_t)(colon - line.at) : line.length;
        out->fields[out->count++] = (struct field){line.at, length};
        line.at += length + more;
        line.length -= length + more;
    }
}

bool account_line_next(const char** text, size_t* left, struct account_line* line) {
    while (*left > 0) {
        struct field whole = trimmed(cut(text, left, '\n'));
        if (whole.length == 0)
            continue;
        split(whole, line);
        return true;
    }
    return false;
}

bool field_id(struct field field, uint32_t* id) {
    uint64_t value = 0;
    if (field.length == 0 || field.length > 10)
        return false;
    for (size_t i = 0; i < field.length; i++) {
        if (field.at[i] < '0' || field.at[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(field.at[i] - '0');
    }
    if (value > MAX_ID)
        return false;
    *id = (uint32_t)value;
    return true;
}

bool field_next_item(struct field* list, struct field* item) {
    if (list->length == 0)
        return false;
    *item = trimmed(cut(&list->at, &list->length, ','));
    return true;
}
