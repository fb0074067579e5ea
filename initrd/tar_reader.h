/* SPDX-License-Identifier: Apache-2.0
 *
 * A tar archive read from a descriptor, one entry at a time: ustar, pax, GNU's long names, base-256 numbers, and sparse
 * files in GNU's format of old and in its 1.0. The archive is hostile: every number and length is checked.
 */
#ifndef HRUN_TAR_READER_H
#define HRUN_TAR_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "err.h"
#include "tar_format.h"

#define TAR_MAX_EXTENSION (1024 * 1024) /* bytes of pax headers and long names of one entry */
#define TAR_READER_BUFFER (64 * 1024)

struct tar_reader {
    int fd;
    uint64_t left;    /* bytes of the entry's content that were not read */
    uint64_t padding; /* zeros behind them */
    size_t start;
    size_t end;
    uint8_t buffer[TAR_READER_BUFFER];
};

struct tar_attribute {
    char* name;
    uint8_t* value;
    size_t length;
};

enum tar_sparse {
    TAR_NOT_SPARSE,
    TAR_SPARSE_GNU, /* the map is in the header and in blocks that follow it */
    TAR_SPARSE_PAX, /* the map stands before the data */
};

/* An entry; what it points to is the entry's and lives until the next. */
struct tar_header {
    char* name;
    char* link;
    enum tar_type type;
    mode_t mode; /* permission bits */
    uid_t uid;
    gid_t gid;
    uint64_t size; /* of the content in the archive */
    struct timespec mtime;
    dev_t device;
    struct tar_attribute* attributes;
    size_t attribute_count;
    enum tar_sparse sparse;
    uint64_t real_size;     /* of a sparse file */
    struct tar_block block; /* as read: a map of TAR_SPARSE_GNU begins in it */
};

/* Reads up to the next entry, past what is left of the last one's content. Returns 1, 0 at the end, or -1. `header` must be
 * zeroed before the first call. */
int tar_next(struct tar_reader* reader, struct tar_header* header, struct err* err);

/* Reads content. Returns how much, 0 at its end, -1 when the archive is cut short. */
ssize_t tar_read(struct tar_reader* reader, void* to, size_t size, struct err* err);

/* Exactly `size` bytes of content; -1 when there are fewer. */
int tar_read_exactly(struct tar_reader* reader, void* to, size_t size, struct err* err);

/* A block that stands before the content and is not counted in its size: GNU's sparse maps. */
int tar_read_block(struct tar_reader* reader, char block[TAR_BLOCK], struct err* err);

/* Reads what stands behind the end, up to the end of file. */
int tar_drain(struct tar_reader* reader, struct err* err);

void tar_header_free(struct tar_header* header);

/* A number of a header's field; false when it is none, or negative. */
bool tar_number(const char* field, size_t size, uint64_t* value);

#endif
