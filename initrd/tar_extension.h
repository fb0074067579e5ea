/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands before an entry's header and outweighs it: pax records (POSIX.1-2017 pax, "Extended Header") and GNU's long
 * names.
 */
#ifndef HRUN_TAR_EXTENSION_H
#define HRUN_TAR_EXTENSION_H

#include "tar_reader.h"

#define TAR_MAX_ATTRIBUTES 1024

/* Zeroed says nothing. */
struct tar_extension {
    size_t bytes; /* read so far, for the limit */
    char* name;
    char* link;
    char* sparse_name;
    bool has_size, has_uid, has_gid, has_mtime, has_real_size;
    uint64_t size, uid, gid, real_size;
    struct timespec mtime;
    bool sparse_major, sparse_other; /* sparse 1.x, or a format that is not read */
    struct tar_attribute* attributes;
    size_t attribute_count;
};

/* Reads the content of an extension of type `type`; `text` has a NUL behind its `length` bytes. */
int tar_extension_read(struct tar_extension* extension, char type, char* text, size_t length,
                       struct err* err);

/* Puts it into the entry's header, which takes over what it can use. */
int tar_extension_apply(struct tar_extension* extension, struct tar_header* header, struct err* err);

void tar_extension_free(struct tar_extension* extension);

#endif
