/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file of the container a path means. The process's root is the container's: whatever its links say, they lead to a
 * file of it.
 */
#ifndef HRUN_ARCHIVE_PATH_H
#define HRUN_ARCHIVE_PATH_H

#include "err.h"
#include "found_file.h"

/* Opens the file at an absolute path. A link at its end is opened itself, unless "/" or "/." follows, which want a
 * directory. */
int archive_path_open(const char* path, struct found_file* file, struct err* err);

/* The path that a symbolic link at `path` leads to in the end, links in between all resolved; there need not be a file. New,
 * or NULL. */
char* archive_path_resolve(const char* path, struct err* err);

#endif
