/* SPDX-License-Identifier: Apache-2.0
 *
 * The content of a sparse file out of an archive: first the map, then the data of its extents.
 */
#ifndef HRUN_SPARSE_CONTENT_H
#define HRUN_SPARSE_CONTENT_H

#include "tar_reader.h"

#define SPARSE_CONTENT_MAX_EXTENTS (256 * 1024)

/* Writes the content of the entry at hand into the empty file `fd` and gives that its size. */
int sparse_content_write(struct tar_reader* reader, const struct tar_header* header, int fd, struct err* err);

/* Writes the next `length` bytes of content to `fd` from `at`. */
int tar_content_write(struct tar_reader* reader, int fd, uint64_t at, uint64_t length, struct err* err);

#endif
