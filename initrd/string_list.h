/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing list of owned strings, always NULL-terminated so that it can be an argv or an envp.
 */
#ifndef HRUN_STRING_LIST_H
#define HRUN_STRING_LIST_H

#include <stddef.h>

#include "err.h"

struct string_list {
    char** items; /* NULL while empty */
    size_t count;
    size_t capacity;
};

/* Appends and owns `item`; on failure it is freed. */
int string_list_push(struct string_list* list, char* item, struct err* err);

/* The value of NAME in a list of "NAME=value", or NULL. The last one wins, as with execve's envp in a shell. */
const char* string_list_variable(const struct string_list* list, const char* name);

void string_list_free(struct string_list* list);

#endif
