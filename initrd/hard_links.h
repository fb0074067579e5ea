/* SPDX-License-Identifier: Apache-2.0
 *
 * Under which name a file with several names was archived first.
 */
#ifndef HRUN_HARD_LINKS_H
#define HRUN_HARD_LINKS_H

#include <stddef.h>
#include <sys/stat.h>

struct hard_link {
    dev_t device;
    ino_t inode;
    char* name; /* NULL: the place is free */
};

/* Zeroed is empty. */
struct hard_links {
    struct hard_link* items;
    size_t capacity; /* a power of two */
    size_t count;
};

/* The name noted for the file, or NULL. */
const char* hard_links_find(const struct hard_links* links, const struct stat* status);

/* Notes the file's first name. Returns -1 with errno when memory is out. */
int hard_links_add(struct hard_links* links, const struct stat* status, const char* name);

void hard_links_free(struct hard_links* links);

#endif
