/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of the container's, held by a descriptor from the look at it to the last byte: a process of the container that
 * puts another in its place meanwhile gains nothing. The working directory is the agent's own /proc/self/fd, so that
 * "N" is what descriptor N holds, whatever it is; a path of the container's always begins with a slash or a descriptor.
 */
#ifndef HRUN_FOUND_FILE_H
#define HRUN_FOUND_FILE_H

#include <stddef.h>
#include <sys/stat.h>

struct found_file {
    int fd; /* O_PATH, of a symbolic link itself */
    struct stat status;
};

/* Makes /proc/self/fd of the agent's mount namespace what it is taken for above, after root or namespace were left.
 * found_file_keep_proc comes before that, and returns a descriptor for found_file_use_proc. */
int found_file_keep_proc(void);
int found_file_use_proc(int proc);

/* Opens `name` in `directory`, following no link. Returns -1 with errno. */
int found_file_open(int directory, const char* name, struct found_file* file);

/* The same file opened with `flags`. */
int found_file_reopen(const struct found_file* file, int flags);

/* A symbolic link's target, new, or NULL with errno. */
char* found_file_target(const struct found_file* file);

/* The path of what `fd` holds as seen from the root, new, or NULL with errno. */
char* found_file_path(int fd);

/* Names of its extended attributes, each with a NUL, new; or NULL with `length` 0 when there are none. */
char* found_file_xattr_names(const struct found_file* file, size_t* length);

/* An attribute's value, new, or NULL with errno. */
void* found_file_xattr(const struct found_file* file, const char* name, size_t* length);

/* Sets an attribute of what `fd` holds; returns -1 with errno. */
int found_file_set_xattr(int fd, const char* name, const void* value, size_t length);

#endif
