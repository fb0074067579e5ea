/* SPDX-License-Identifier: Apache-2.0 */
#include "hard_links.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

/* Fibonacci hashing; linear probing from there. */
static size_t place_of(const struct hard_links* links, dev_t device, ino_t inode) {
    uint64_t hash = ((uint64_t)inode ^ ((uint64_t)device << 40)) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(hash >> 20) & (links->capacity - 1);
    while (links->items[at].name && (links->items[at].inode != inode || links->items[at].device != device))
        at = (at + 1) & (links->capacity - 1);
    return at;
}

const char* hard_links_find(const struct hard_links* links, const struct stat* status) {
    if (links->count == 0)
        return NULL;
    return links->items[place_of(links, status->st_dev, status->st_ino)].name;
}

static int grow(struct hard_links* links) {
    struct hard_links larger = {.capacity = links->capacity ? links->capacity * 2 : FIRST_CAPACITY};
    larger.items = calloc(larger.capacity, sizeof(*larger.items));
    if (!larger.items)
        return -1;
    for (size_t i = 0; i < links->capacity; i++)
        if (links->items[i].name)
            larger.items[place_of(&larger, links->items[i].device, links->items[i].inode)] = links->items[i];
    larger.count = links->count;
    free(links->items);
    *links = larger;
    return 0;
}

int hard_links_add(struct hard_links* links, const struct stat* status, const char* name) {
    if (links->count * 2 >= links->capacity && grow(links) < 0)
        return -1;
    char* copy = strdup(name);
    if (!copy)
        return -1;
    links->items[place_of(links, status->st_dev, status->st_ino)] =
        (struct hard_link){status->st_dev, status->st_ino, copy};
    links->count++;
    return 0;
}

void hard_links_free(struct hard_links* links) {
    for (size_t i = 0; i < links->capacity; i++)
        free(links->items[i].name);
    free(links->items);
    *links = (struct hard_links){0};
}
