/* SPDX-License-Identifier: Apache-2.0 */
#include "tar_writer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LARGEST_7_OCTAL 07777777u
#define LARGEST_11_OCTAL 077777777777u

int tar_flush(struct tar_writer* writer) {
    for (size_t done = 0; done < writer->used;) {
        ssize_t count = write(writer->fd, writer->buffer + done, writer->used - done);
        if (count < 0 && errno != EINTR)
            return -1;
        done += count < 0 ? 0 : (size_t)count;
    }
    writer->used = 0;
    return 0;
}

int tar_put_bytes(struct tar_writer* writer, const void* bytes, size_t length) {
    const uint8_t* at = bytes;
    while (length > 0) {
        size_t part = TAR_WRITER_BUFFER - writer->used;
        part = part < length ? part : length;
        if (at)
            memcpy(writer->buffer + writer->used, at, part);
        else
            memset(writer->buffer + writer->used, 0, part);
        at += at ? part : 0;
        length -= part;
        writer->used += part;
        if (writer->used == TAR_WRITER_BUFFER && tar_flush(writer) < 0)
            return -1;
    }
    return 0;
}

int tar_put_padding(struct tar_writer* writer, uint64_t size) {
    return tar_put_bytes(writer, NULL, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

int tar_put_end(struct tar_writer* writer) {
    if (tar_put_bytes(writer, NULL, 2 * TAR_BLOCK) < 0)
        return -1;
    return tar_flush(writer);
}

/* Octal digits and a NUL. */
static void put_octal(char* field, size_t size, uint64_t value) {
    field[size - 1] = '\0';
    for (size_t i = size - 1; i > 0; i--, value /= 8)
        field[i - 1] = (char)('0' + value % 8);
}

static int put_block(struct tar_writer* writer, struct tar_block* block) {
    memcpy(block->magic, "ustar", sizeof(block->magic));
    memcpy(block->version, "00", sizeof(block->version));
    put_octal(block->checksum, 7, tar_checksum(block));
    block->checksum[7] = ' ';
    return tar_put_bytes(writer, block, sizeof(*block));
}

/* A name that is too long is cut in the field and whole in a record. */
static int put_text(struct pax_records* records, const char* key, char* field, const char* text) {
    size_t length = strlen(text);
    memcpy(field, text, length < TAR_NAME_SIZE ? length : TAR_NAME_SIZE);
    return length > TAR_NAME_SIZE ? pax_add_string(records, key, text) : 0;
}

static int put_number(struct pax_records* records, const char* key, char* field, size_t size, uint64_t most,
                      uint64_t value) {
    put_octal(field, size, value > most ? 0 : value);
    return value > most ? pax_add_number(records, key, value) : 0;
}

/* Seconds before 1970 and parts of a second only a record can tell. */
static int put_time(struct pax_records* records, char* field, size_t size, const struct timespec* time) {
    char text[48];
    bool fits = time->tv_sec >= 0 && (uint64_t)time->tv_sec <= LARGEST_11_OCTAL;
    put_octal(field, size, fits ? (uint64_t)time->tv_sec : 0);
    if (fits && time->tv_nsec == 0)
        return 0;
    /* -1.25 s is kept as -2 s and 0.75 s */
    bool mixed = time->tv_sec < 0 && time->tv_nsec > 0;
    long long seconds = (long long)time->tv_sec + (mixed ? 1 : 0);
    long nanoseconds = mixed ? 1000000000 - time->tv_nsec : time->tv_nsec;
    const char* sign = mixed && seconds == 0 ? "-" : "";
    snprintf(text, sizeof(text), "%s%lld.%09ld", sign, seconds, nanoseconds);
    return pax_add_string(records, "mtime", text);
}

static int put_records(struct tar_writer* writer) {
    struct pax_records* records = &writer->records;
    struct tar_block block = {.name = "PaxHeaders/entry", .type = TAR_PAX};
    if (records->length == 0)
        return 0;
    put_octal(block.mode, sizeof(block.mode), 0644);
    put_octal(block.uid, sizeof(block.uid), 0);
    put_octal(block.gid, sizeof(block.gid), 0);
    put_octal(block.size, sizeof(block.size), records->length);
    put_octal(block.mtime, sizeof(block.mtime), 0);
    if (put_block(writer, &block) < 0 || tar_put_bytes(writer, records->data, records->length) < 0 ||
        tar_put_padding(writer, records->length) < 0)
        return -1;
    pax_clear(records);
    return 0;
}

int tar_put_entry(struct tar_writer* writer, const struct tar_entry* entry) {
    struct tar_block block = {.type = (char)entry->type};
    struct pax_records* records = &writer->records;
    put_octal(block.mode, sizeof(block.mode), entry->mode & 07777);
    put_octal(block.major, sizeof(block.major), major(entry->device));
    put_octal(block.minor, sizeof(block.minor), minor(entry->device));
    if (put_text(records, "path", block.name, entry->name) < 0 ||
        (entry->link && put_text(records, "linkpath", block.link, entry->link) < 0) ||
        put_number(records, "uid", block.uid, sizeof(block.uid), LARGEST_7_OCTAL, entry->uid) < 0 ||
        put_number(records, "gid", block.gid, sizeof(block.gid), LARGEST_7_OCTAL, entry->gid) < 0 ||
        put_number(records, "size", block.size, sizeof(block.size), LARGEST_11_OCTAL, entry->size) < 0 ||
        put_time(records, block.mtime, sizeof(block.mtime), &entry->mtime) < 0)
        return -1;
    return put_records(writer) < 0 ? -1 : put_block(writer, &block);
}
