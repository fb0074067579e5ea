/* SPDX-License-Identifier: Apache-2.0 */
#include "sparse_map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tar_format.h"

#define WORTH_IT (1024 * 1024) /* bytes of hole */

bool sparse_map_read(int fd, uint64_t size, uint64_t allocated, struct sparse_map* map) {
    map->count = 0;
    map->data_bytes = 0;
    if (allocated + WORTH_IT > size)
        return false;
    for (uint64_t at = 0; at < size;) {
        off_t data = lseek(fd, (off_t)at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        if (hole <= data || map->count == SPARSE_MAX_EXTENTS)
            return false;
        uint64_t start = (uint64_t)data;
        uint64_t end = (uint64_t)hole < size ? (uint64_t)hole : size;
        if (start >= size)
            break;
        map->extents[map->count++] = (struct sparse_extent){start, end - start};
        map->data_bytes += end - start;
        at = end;
    }
    return map->data_bytes + WORTH_IT <= size;
}

static size_t put(char* text, size_t at, uint64_t number) {
    return at + (size_t)sprintf(text + at, "%llu\n", (unsigned long long)number);
}

/* An extent of no bytes at the end of the file tells readers where that is, as GNU tar writes it. */
size_t sparse_map_text(const struct sparse_map* map, uint64_t size, char text[SPARSE_MAP_BYTES]) {
    size_t length = put(text, 0, map->count + 1);
    for (size_t i = 0; i < map->count; i++) {
        length = put(text, length, map->extents[i].start);
        length = put(text, length, map->extents[i].length);
    }
    length = put(text, length, size);
    length = put(text, length, 0);
    size_t padding = (TAR_BLOCK - length % TAR_BLOCK) % TAR_BLOCK;
    memset(text + length, 0, padding);
    return length + padding;
}
