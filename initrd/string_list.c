/* SPDX-License-Identifier: Apache-2.0 */
#include "string_list.h"

#include <stdlib.h>
#include <string.h>

int string_list_push(struct string_list* list, char* item, struct err* err) {
    if (list->count + 2 > list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        char** items = realloc(list->items, capacity * sizeof(*items));
        if (!items) {
            free(item);
            return err_system(err, "keep a list of %zu strings", capacity);
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
    return 0;
}

const char* string_list_variable(const struct string_list* list, const char* name) {
    size_t length = strlen(name);
    for (size_t i = list->count; i > 0; i--) {
        const char* item = list->items[i - 1];
        if (strncmp(item, name, length) == 0 && item[length] == '=')
            return item + length + 1;
    }
    return NULL;
}

void string_list_free(struct string_list* list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}
