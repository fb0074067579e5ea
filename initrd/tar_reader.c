/* SPDX-License-Identifier: Apache-2.0 */
#include "tar_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "protocol.h"
#include "tar_extension.h"

static int broken(struct err* err, const char* what) {
    return err_set(err, HRUN_ERROR_FILE, EINVAL, "the archive is damaged: %s", what);
}

/* Fills the empty buffer. Returns its bytes, 0 at end of file. */
static ssize_t refill(struct tar_reader* reader, struct err* err) {
    ssize_t count;
    do
        count = read(reader->fd, reader->buffer, TAR_READER_BUFFER);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return err_system(err, "read the archive");
    reader->start = 0;
    reader->end = (size_t)count;
    return count;
}

/* Up to `size` raw bytes; NULL skips them. */
static ssize_t take(struct tar_reader* reader, uint8_t* to, size_t size, struct err* err) {
    if (reader->start == reader->end) {
        ssize_t count = refill(reader, err);
        if (count <= 0)
            return count;
    }
    size_t there = reader->end - reader->start;
    size = there < size ? there : size;
    if (to)
        memcpy(to, reader->buffer + reader->start, size);
    reader->start += size;
    return (ssize_t)size;
}

static int skip(struct tar_reader* reader, uint64_t size, struct err* err) {
    while (size > 0) {
        ssize_t count = take(reader, NULL, size < SIZE_MAX ? (size_t)size : SIZE_MAX, err);
        if (count <= 0)
            return count < 0 ? -1 : broken(err, "it ends too early");
        size -= (uint64_t)count;
    }
    return 0;
}

ssize_t tar_read(struct tar_reader* reader, void* to, size_t size, struct err* err) {
    if (reader->left == 0)
        return 0;
    size = reader->left < size ? (size_t)reader->left : size;
    ssize_t count = take(reader, to, size, err);
    if (count == 0)
        return broken(err, "it ends too early");
    reader->left -= count > 0 ? (uint64_t)count : 0;
    return count;
}

int tar_read_exactly(struct tar_reader* reader, void* to, size_t size, struct err* err) {
    uint8_t* at = to;
    while (size > 0) {
        ssize_t count = tar_read(reader, at, size, err);
        if (count <= 0)
            return count < 0 ? -1 : broken(err, "an entry is too short");
        at += count;
        size -= (size_t)count;
    }
    return 0;
}

int tar_read_block(struct tar_reader* reader, char block[TAR_BLOCK], struct err* err) {
    uint64_t content = reader->left;
    reader->left = TAR_BLOCK;
    int result = tar_read_exactly(reader, block, TAR_BLOCK, err);
    reader->left = content;
    return result;
}

int tar_drain(struct tar_reader* reader, struct err* err) {
    ssize_t count;
    while ((count = take(reader, NULL, SIZE_MAX, err)) > 0)
        ;
    return (int)count;
}

/* GNU's base-256: the first bit is set, the second is the sign. */
static bool base_256(const uint8_t* field, size_t size, uint64_t* value) {
    *value = field[0] & 0x3f;
    for (size_t i = 1; i < size; i++) {
        if (*value >> 55)
            return false;
        *value = *value << 8 | field[i];
    }
    return !(field[0] & 0x40);
}

bool tar_number(const char* field, size_t size, uint64_t* value) {
    size_t i = 0;
    if (field[0] & 0x80)
        return base_256((const uint8_t*)field, size, value);
    while (i < size && (field[i] == ' ' || field[i] == '\0'))
        i++;
    for (*value = 0; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        *value = *value << 3 | (uint64_t)(field[i] - '0');
    while (i < size && (field[i] == ' ' || field[i] == '\0'))
        i++;
    return i == size;
}

/* Reads a block. Returns 1, or 0 at the end of the archive: a block of zeros, or end of file between entries. */
static int read_block(struct tar_reader* reader, struct tar_block* block, struct err* err) {
    static const struct tar_block zeros;
    uint64_t sum;
    for (size_t done = 0; done < sizeof(*block);) {
        ssize_t count = take(reader, (uint8_t*)block + done, sizeof(*block) - done, err);
        if (count < 0)
            return -1;
        if (count == 0)
            return done == 0 ? 0 : broken(err, "it ends in the middle of a header");
        done += (size_t)count;
    }
    if (memcmp(block, &zeros, sizeof(zeros)) == 0)
        return 0;
    if (!tar_number(block->checksum, sizeof(block->checksum), &sum) || sum != tar_checksum(block))
        return broken(err, "a header's checksum is wrong, or it is no tar");
    return 1;
}

static char* text_of(const char* field, size_t size) {
    return strndup(field, size);
}

/* Only ustar has a prefix; GNU's headers have other things there. */
static char* name_of(const struct tar_block* block) {
    char* name;
    size_t prefix = memcmp(block->magic, "ustar", 6) == 0 ? strnlen(block->prefix, sizeof(block->prefix)) : 0;
    size_t length = strnlen(block->name, sizeof(block->name));
    if (prefix == 0)
        return text_of(block->name, sizeof(block->name));
    name = malloc(prefix + 1 + length + 1);
    if (!name)
        return NULL;
    memcpy(name, block->prefix, prefix);
    name[prefix] = '/';
    memcpy(name + prefix + 1, block->name, length);
    name[prefix + 1 + length] = '\0';
    return name;
}

static int read_numbers(const struct tar_block* block, struct tar_header* header, struct err* err) {
    uint64_t mode, uid, gid, mtime, device_major = 0, device_minor = 0;
    bool device = block->type == TAR_CHARACTER_DEVICE || block->type == TAR_BLOCK_DEVICE;
    if (!tar_number(block->mode, sizeof(block->mode), &mode) ||
        !tar_number(block->uid, sizeof(block->uid), &uid) ||
        !tar_number(block->gid, sizeof(block->gid), &gid) ||
        !tar_number(block->size, sizeof(block->size), &header->size))
        return broken(err, "a header with a field that is no number");
    if (!tar_number(block->mtime, sizeof(block->mtime), &mtime) || mtime > INT64_MAX)
        mtime = 0; /* a time before 1970 in base 256 */
    if (device && (!tar_number(block->major, sizeof(block->major), &device_major) ||
                   !tar_number(block->minor, sizeof(block->minor), &device_minor)))
        return broken(err, "a device without its number");
    if (uid > UINT32_MAX || gid > UINT32_MAX)
        return broken(err, "an owner that does not exist");
    header->mode = (mode_t)mode & 07777;
    header->uid = (uid_t)uid;
    header->gid = (gid_t)gid;
    header->mtime = (struct timespec){.tv_sec = (time_t)mtime};
    header->device = makedev((unsigned)device_major, (unsigned)device_minor);
    return 0;
}

static int read_sparse_size(struct tar_header* header, struct err* err) {
    /* GNU's old header has the size at 483, in what is ustar's prefix and padding. */
    if (!tar_number((const char*)&header->block + 483, 12, &header->real_size))
        return broken(err, "a sparse file without its size");
    header->sparse = TAR_SPARSE_GNU;
    header->type = TAR_FILE;
    return 0;
}

/* An entry's own header. What extensions said before outweighs it. */
static int finish_header(struct tar_header* header, struct tar_extension* extension, struct err* err) {
    const struct tar_block* block = &header->block;
    header->type =
        block->type == '\0' || block->type == TAR_CONTIGUOUS ? TAR_FILE : (enum tar_type)block->type;
    header->name = name_of(block);
    header->link = text_of(block->link, sizeof(block->link));
    if (!header->name || !header->link)
        return err_system(err, "read the archive");
    if (read_numbers(block, header, err) < 0)
        return -1;
    /* Before there were types a directory was a file whose name ends in a slash. */
    size_t length = strlen(header->name);
    if (block->type == '\0' && length > 0 && header->name[length - 1] == '/')
        header->type = TAR_DIRECTORY;
    if (block->type == TAR_GNU_SPARSE && read_sparse_size(header, err) < 0)
        return -1;
    return tar_extension_apply(extension, header, err);
}

static bool is_extension(char type) {
    return type == TAR_PAX || type == TAR_PAX_GLOBAL || type == TAR_GNU_LONG_NAME ||
           type == TAR_GNU_LONG_LINK;
}

static void begin_content(struct tar_reader* reader, uint64_t size) {
    reader->left = size;
    reader->padding = (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

static int read_extension(struct tar_reader* reader, const struct tar_block* block,
                          struct tar_extension* extension, struct err* err) {
    uint64_t size;
    if (!tar_number(block->size, sizeof(block->size), &size) || size > TAR_MAX_EXTENSION - extension->bytes)
        return broken(err, "a header that is too long");
    char* text = malloc((size_t)size + 1);
    if (!text)
        return err_system(err, "read the archive");
    begin_content(reader, size);
    int result = tar_read_exactly(reader, text, (size_t)size, err);
    text[size] = '\0';
    extension->bytes += (size_t)size;
    if (result == 0)
        result = tar_extension_read(extension, block->type, text, (size_t)size, err);
    free(text);
    return result;
}

static int read_entry(struct tar_reader* reader, struct tar_header* header, struct tar_extension* extension,
                      struct err* err) {
    for (;;) {
        if (skip(reader, reader->left, err) < 0 || skip(reader, reader->padding, err) < 0)
            return -1;
        reader->left = reader->padding = 0;
        int result = read_block(reader, &header->block, err);
        if (result <= 0)
            return result;
        if (!is_extension(header->block.type))
            break;
        if (read_extension(reader, &header->block, extension, err) < 0)
            return -1;
    }
    if (finish_header(header, extension, err) < 0)
        return -1;
    begin_content(reader, header->type == TAR_FILE ? header->size : 0);
    return 1;
}

int tar_next(struct tar_reader* reader, struct tar_header* header, struct err* err) {
    struct tar_extension extension = {0};
    tar_header_free(header);
    int result = read_entry(reader, header, &extension, err);
    tar_extension_free(&extension);
    return result;
}

void tar_header_free(struct tar_header* header) {
    free(header->name);
    free(header->link);
    for (size_t i = 0; i < header->attribute_count; i++) {
        free(header->attributes[i].name);
        free(header->attributes[i].value);
    }
    free(header->attributes);
    *header = (struct tar_header){0};
}
