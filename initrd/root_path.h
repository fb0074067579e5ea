/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths inside a container's root, before anything runs in it. The image is hostile: its symbolic links may
 * point anywhere. openat2(2) with RESOLVE_IN_ROOT keeps every one of them inside.
 */
#ifndef HRUN_ROOT_PATH_H
#define HRUN_ROOT_PATH_H

#include <stdbool.h>

#include "err.h"

/* An O_PATH descriptor of `path` inside `root`, or -1 with errno. */
int root_find(int root, const char* path);

/* A directory of `path` inside `root`, to be read, or -1 with errno. */
int root_open_directory(int root, const char* path);

/* An O_PATH descriptor of a directory, made with its parents (mode 0755) if missing. */
int root_make_directory(int root, const char* path, struct err* err);

/* The same, but no component may be a symbolic link: /proc, /sys and /dev are what they are called. */
int root_make_real_directory(int root, const char* path, struct err* err);

/* The same of something that is not a directory; an empty file (mode 0644) is made if it is missing. */
int root_make_file(int root, const char* path, struct err* err);

#endif
