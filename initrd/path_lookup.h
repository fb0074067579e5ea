/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file a command is, as execvp(3) finds it, with Docker's words when there is none.
 */
#ifndef HRUN_PATH_LOOKUP_H
#define HRUN_PATH_LOOKUP_H

#include <stddef.h>

#include "err.h"

/* Finds `command` in the directories of `path` (NULL: only commands with a slash are found), with the
 * caller's own permissions, and writes the file's path to `found`. Fails with kind NOT_FOUND or
 * NOT_EXECUTABLE. */
int path_lookup(const char* command, const char* path, char* found, size_t size, struct err* err);

#endif
