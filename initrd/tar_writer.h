/* SPDX-License-Identifier: Apache-2.0
 *
 * A pax archive written to a descriptor, through one buffer.
 */
#ifndef HRUN_TAR_WRITER_H
#define HRUN_TAR_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "pax_records.h"
#include "tar_format.h"

#define TAR_WRITER_BUFFER (64 * 1024)

struct tar_writer {
    int fd;
    size_t used;
    struct pax_records records; /* of the entry being written */
    uint8_t buffer[TAR_WRITER_BUFFER];
};

struct tar_entry {
    const char* name;
    const char* link; /* of a link; else NULL */
    enum tar_type type;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    uint64_t size; /* bytes of content that follow */
    struct timespec mtime;
    dev_t device;
};

/* Writes an entry's header; what was put into `records` before goes with it. What does not fit ustar's fields becomes
 * a record too. Returns -1 with errno. */
int tar_put_entry(struct tar_writer* writer, const struct tar_entry* entry);

/* Content; the caller keeps to the size in the header. NULL stands for zeros. */
int tar_put_bytes(struct tar_writer* writer, const void* bytes, size_t length);

/* Fills up the last block of `size` bytes of content. */
int tar_put_padding(struct tar_writer* writer, uint64_t size);

/* The end of the archive. */
int tar_put_end(struct tar_writer* writer);

/* Writes out what is buffered. */
int tar_flush(struct tar_writer* writer);

#endif
