/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "protocol.h"

#define MAX_LINKS 40 /* as the kernel's own limit */

static int open_at(const char* path, uint64_t flags) {
    struct open_how how = {.flags = flags | O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static bool wants_directory(const char* path) {
    const char* last = strrchr(path, '/') + 1;
    return last[0] == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
}

static int failed(const char* path, struct err* err) {
    err_system(err, "%s", path);
    err->kind = HRUN_ERROR_FILE;
    return -1;
}

int archive_path_open(const char* path, struct found_file* file, struct err* err) {
    file->fd = open_at(path, wants_directory(path) ? O_DIRECTORY : O_NOFOLLOW);
    if (file->fd < 0)
        return failed(path, err);
    return fstat(file->fd, &file->status) < 0 ? failed(path, err) : 0;
}

/* `path` without its last component, links resolved, as a path from the root; new, or NULL with errno. */
static char* parent_of(const char* path) {
    const char* slash = strrchr(path, '/');
    owned_memory char* parent = strndup(path, slash > path ? (size_t)(slash - path) : 1);
    if (!parent)
        return NULL;
    owned_fd directory = open_at(parent, O_DIRECTORY);
    return directory < 0 ? NULL : found_file_path(directory);
}

static char* join(const char* parent, const char* name) {
    char* path = malloc(strlen(parent) + strlen(name) + sizeof("/"));
    if (path)
        sprintf(path, "%s%s%s", parent, strcmp(parent, "/") == 0 ? "" : "/", name);
    return path;
}

/* One step: the path that the link at `path` says, or NULL with errno 0 if there is no link. */
static char* follow(const char* parent, const char* path) {
    struct found_file file = {.fd = open_at(path, O_NOFOLLOW)};
    char* next = NULL;
    if (file.fd < 0 || fstat(file.fd, &file.status) < 0 || !S_ISLNK(file.status.st_mode)) {
        errno = file.fd < 0 && errno != ENOENT ? errno : 0;
    } else {
        owned_memory char* target = found_file_target(&file);
        next = !target ? NULL : target[0] == '/' ? strdup(target) : join(parent, target);
    }
    if (file.fd >= 0)
        close(file.fd);
    return next;
}

char* archive_path_resolve(const char* path, struct err* err) {
    char* current = strdup(path);
    for (int links = 0; current && links < MAX_LINKS; links++) {
        owned_memory char* parent = parent_of(current);
        owned_memory char* whole = parent ? join(parent, strrchr(current, '/') + 1) : NULL;
        char* next = whole ? follow(parent, whole) : NULL;
        if (!next) {
            bool found = whole && errno == 0;
            free(current);
            return found ? strdup(whole) : (failed(path, err), NULL);
        }
        free(current);
        current = next;
    }
    free(current);
    errno = ELOOP;
    failed(path, err);
    return NULL;
}
