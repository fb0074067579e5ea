/* SPDX-License-Identifier: Apache-2.0
 *
 * The path of the entry at hand while a tree is walked: as deep as the tree is, PATH_MAX or not.
 */
#ifndef HRUN_TREE_PATH_H
#define HRUN_TREE_PATH_H

#include <stddef.h>

/* Zeroed is empty, but `text` is NULL then until the first tree_path_append. */
struct tree_path {
    char* text; /* there is room for one more character */
    size_t length;
    size_t capacity;
};

/* Appends "/name", or "name" to an empty path. `before` is what tree_path_cut takes to undo it. Returns -1 with errno when
 * memory is out. */
int tree_path_append(struct tree_path* path, const char* name, size_t* before);

void tree_path_cut(struct tree_path* path, size_t before);

/* The last component. */
const char* tree_path_name(const struct tree_path* path);

#endif
