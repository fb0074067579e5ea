/* SPDX-License-Identifier: Apache-2.0 */
#include "found_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

struct fd_name {
    char text[16];
};

static struct fd_name name_of(int fd) {
    struct fd_name name;
    snprintf(name.text, sizeof(name.text), "%d", fd);
    return name;
}

int found_file_keep_proc(void) {
    return open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int found_file_use_proc(int proc) {
    return fchdir(proc);
}

int found_file_open(int directory, const char* name, struct found_file* file) {
    file->fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file->fd < 0)
        return -1;
    if (fstat(file->fd, &file->status) == 0)
        return 0;
    int number = errno;
    close(file->fd);
    errno = number;
    return -1;
}

int found_file_reopen(const struct found_file* file, int flags) {
    return open(name_of(file->fd).text, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static char* copy_of(const char* bytes, ssize_t length) {
    char* copy = length < 0 ? NULL : malloc((size_t)length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, bytes, (size_t)length);
    copy[length] = '\0';
    return copy;
}

char* found_file_target(const struct found_file* file) {
    char target[PATH_MAX];
    return copy_of(target, readlinkat(file->fd, "", target, sizeof(target)));
}

char* found_file_path(int fd) {
    char path[PATH_MAX];
    return copy_of(path, readlink(name_of(fd).text, path, sizeof(path)));
}

/* Names and values are bounded by the kernel (XATTR_LIST_MAX, XATTR_SIZE_MAX): one buffer for all. */
static char buffer[64 * 1024];

char* found_file_xattr_names(const struct found_file* file, size_t* length) {
    ssize_t count = listxattr(name_of(file->fd).text, buffer, sizeof(buffer));
    *length = count > 0 ? (size_t)count : 0;
    return count > 0 ? copy_of(buffer, count) : NULL;
}

void* found_file_xattr(const struct found_file* file, const char* name, size_t* length) {
    ssize_t count = getxattr(name_of(file->fd).text, name, buffer, sizeof(buffer));
    *length = count > 0 ? (size_t)count : 0;
    return copy_of(buffer, count);
}

int found_file_set_xattr(int fd, const char* name, const void* value, size_t length) {
    return setxattr(name_of(fd).text, name, value, length, 0);
}
