/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a file has data. A file that is mostly hole goes into an archive in GNU's sparse format 1.0 (the map stands before
 * the data), so that its holes cost nothing on the way.
 */
#ifndef HRUN_SPARSE_MAP_H
#define HRUN_SPARSE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARSE_MAX_EXTENTS 1024
#define SPARSE_MAP_BYTES (64 * 1024) /* two numbers of up to 20 digits for each, to full blocks */

struct sparse_map {
    size_t count;
    struct sparse_extent {
        uint64_t start;
        uint64_t length;
    } extents[SPARSE_MAX_EXTENTS];
    uint64_t data_bytes; /* of all extents */
};

/* Reads the map of an open file of `size` bytes. False when it is not worth it: little hole, or too many pieces. */
bool sparse_map_read(int fd, uint64_t size, uint64_t allocated, struct sparse_map* map);

/* The map as it stands in the archive, in whole blocks. Returns its length. */
size_t sparse_map_text(const struct sparse_map* map, uint64_t size, char text[SPARSE_MAP_BYTES]);

#endif
