/* SPDX-License-Identifier: Apache-2.0 */
#include "sparse_content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol.h"

struct extent {
    uint64_t start;
    uint64_t length;
};

struct extents {
    struct extent* items;
    size_t count;
    size_t capacity;
    uint64_t bytes; /* of all */
};

static int broken(struct err* err) {
    return err_set(err, HRUN_ERROR_FILE, EINVAL, "the archive is damaged: a sparse file with a wrong map");
}

static int add_extent(struct extents* extents, uint64_t start, uint64_t length, uint64_t size,
                      struct err* err) {
    const struct extent* last = extents->count ? &extents->items[extents->count - 1] : NULL;
    if (start > size || length > size - start || (last && start < last->start + last->length))
        return broken(err);
    if (extents->count == extents->capacity) {
        size_t capacity = extents->capacity ? extents->capacity * 2 : 64;
        if (capacity > SPARSE_CONTENT_MAX_EXTENTS)
            return broken(err);
        struct extent* items = realloc(extents->items, capacity * sizeof(*items));
        if (!items)
            return err_system(err, "read a sparse file");
        extents->items = items;
        extents->capacity = capacity;
    }
    extents->items[extents->count++] = (struct extent){start, length};
    extents->bytes += length;
    return 0;
}

/* GNU's pairs of 12-byte fields; an empty one ends them. */
static int add_fields(struct extents* extents, const char* fields, size_t count, uint64_t size,
                      struct err* err) {
    for (size_t i = 0; i < count; i++, fields += 24) {
        uint64_t start, length;
        if (fields[0] == '\0')
            return 0;
        if (!tar_number(fields, 12, &start) || !tar_number(fields + 12, 12, &length))
            return broken(err);
        if (add_extent(extents, start, length, size, err) < 0)
            return -1;
    }
    return 0;
}

/* Four extents in the header at 386, more in blocks of 21 while a flag says so. */
static int read_gnu_map(struct tar_reader* reader, const struct tar_header* header, struct extents* extents,
                        struct err* err) {
    const char* block = (const char*)&header->block;
    char next[TAR_BLOCK];
    if (add_fields(extents, block + 386, 4, header->real_size, err) < 0)
        return -1;
    for (char more = block[482]; more; more = next[504])
        if (tar_read_block(reader, next, err) < 0 ||
            add_fields(extents, next, 21, header->real_size, err) < 0)
            return -1;
    return 0;
}

struct map_text {
    struct tar_reader* reader;
    char block[TAR_BLOCK];
    size_t at;
};

/* The next number of the map, a line of its own. */
static int next_number(struct map_text* text, uint64_t* number, struct err* err) {
    size_t digits = 0;
    for (*number = 0;; text->at++) {
        if (text->at == TAR_BLOCK) {
            if (tar_read_exactly(text->reader, text->block, TAR_BLOCK, err) < 0)
                return -1;
            text->at = 0;
        }
        char digit = text->block[text->at];
        if (digit == '\n' && digits > 0)
            break;
        if (digit < '0' || digit > '9' || ++digits > 18)
            return broken(err);
        *number = *number * 10 + (uint64_t)(digit - '0');
    }
    text->at++;
    return 0;
}

static int read_pax_map(struct tar_reader* reader, uint64_t size, struct extents* extents, struct err* err) {
    struct map_text text = {.reader = reader, .at = TAR_BLOCK};
    uint64_t count, start, length;
    if (next_number(&text, &count, err) < 0)
        return -1;
    for (; count > 0; count--)
        if (next_number(&text, &start, err) < 0 || next_number(&text, &length, err) < 0 ||
            add_extent(extents, start, length, size, err) < 0)
            return -1;
    return 0;
}

int tar_content_write(struct tar_reader* reader, int fd, uint64_t at, uint64_t length, struct err* err) {
    static uint8_t buffer[64 * 1024];
    while (length > 0) {
        size_t part = length < sizeof(buffer) ? (size_t)length : sizeof(buffer);
        if (tar_read_exactly(reader, buffer, part, err) < 0)
            return -1;
        for (size_t done = 0; done < part;) {
            ssize_t count = pwrite(fd, buffer + done, part - done, (off_t)(at + done));
            if (count < 0 && errno != EINTR)
                return err_system(err, "write");
            done += count < 0 ? 0 : (size_t)count;
        }
        at += part;
        length -= part;
    }
    return 0;
}

static int write_extents(struct tar_reader* reader, const struct extents* extents, uint64_t size, int fd,
                         struct err* err) {
    if (extents->bytes != reader->left)
        return broken(err);
    for (size_t i = 0; i < extents->count; i++)
        if (tar_content_write(reader, fd, extents->items[i].start, extents->items[i].length, err) < 0)
            return -1;
    return ftruncate(fd, (off_t)size) < 0 ? err_system(err, "write") : 0;
}

int sparse_content_write(struct tar_reader* reader, const struct tar_header* header, int fd,
                         struct err* err) {
    struct extents extents = {0};
    int result = header->sparse == TAR_SPARSE_GNU ? read_gnu_map(reader, header, &extents, err)
                                                  : read_pax_map(reader, header->real_size, &extents, err);
    if (result == 0)
        result = write_extents(reader, &extents, header->real_size, fd, err);
    free(extents.items);
    return result;
}
