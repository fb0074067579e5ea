/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tree_path_append(struct tree_path* path, const char* name, size_t* before) {
    size_t needed = path->length + strlen(name) + sizeof("//");
    *before = path->length;
    if (needed > path->capacity) {
        char* text = realloc(path->text, needed * 2);
        if (!text)
            return -1;
        path->text = text;
        path->capacity = needed * 2;
    }
    path->length += (size_t)sprintf(path->text + path->length, "%s%s", path->length ? "/" : "", name);
    return 0;
}

void tree_path_cut(struct tree_path* path, size_t before) {
    path->length = before;
    path->text[before] = '\0';
}

const char* tree_path_name(const struct tree_path* path) {
    const char* slash = strrchr(path->text, '/');
    return slash ? slash + 1 : path->text;
}
