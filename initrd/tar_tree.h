/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree of files as a pax archive. Names come as the directory gives them: a tree of any size takes the memory of its
 * depth and of the names of its hard links.
 */
#ifndef HRUN_TAR_TREE_H
#define HRUN_TAR_TREE_H

#include <stdbool.h>

#include "err.h"
#include "found_file.h"
#include "hard_links.h"
#include "sparse_map.h"
#include "tar_writer.h"
#include "tree_path.h"

#define TAR_TREE_MAX_CLOSED 8

struct tar_tree {
    struct tar_writer writer;
    struct hard_links links;
    struct sparse_map map;
    struct tree_path path;             /* in the archive, without a slash at the end */
    dev_t closed[TAR_TREE_MAX_CLOSED]; /* file systems of which only the root is archived */
    size_t closed_count;
    /* Called for each entry below the top, before it is archived; true when it was dealt with, or left out. NULL: none. */
    int (*special)(struct tar_tree* tree, int directory, const struct found_file* file, struct err* err);
    /* Called after the entry of each directory. NULL: none. */
    int (*entered)(struct tar_tree* tree, const struct found_file* directory, struct err* err);
    void* owner; /* the callbacks' */
};

/* A new empty tree that is written to `fd`; NULL when memory is out. */
struct tar_tree* tar_tree_new(int fd);

/* Archives `file` and everything below it as `name`; with an empty name, only what is below. */
int tar_tree_add(struct tar_tree* tree, const struct found_file* file, const char* name, struct err* err);

/* Archives an empty plain file that is not in the tree. */
int tar_tree_mark(struct tar_tree* tree, const char* path, mode_t mode, struct err* err);

int tar_tree_end(struct tar_tree* tree, struct err* err);

#endif
