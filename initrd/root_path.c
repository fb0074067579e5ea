/* SPDX-License-Identifier: Apache-2.0 */
#include "root_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "protocol.h"

static int open_in(int root, const char* path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {
        .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int find(int root, const char* path, uint64_t resolve) {
    return open_in(root, path, O_PATH, 0, resolve | RESOLVE_IN_ROOT);
}

int root_find(int root, const char* path) {
    return find(root, path, 0);
}

int root_open_directory(int root, const char* path) {
    return open_in(root, path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_IN_ROOT);
}

/* Makes the directory `path[0..length)`, whose parent exists. */
static int make_one(int root, const char* path, size_t length, uint64_t resolve) {
    char prefix[PATH_MAX];
    memcpy(prefix, path, length);
    prefix[length] = '\0';
    owned_fd existing = find(root, prefix, resolve);
    if (existing >= 0 || errno != ENOENT)
        return existing >= 0 ? 0 : -1;
    char* slash = strrchr(prefix, '/');
    if (slash)
        *slash = '\0';
    owned_fd parent = find(root, slash && slash > prefix ? prefix : "/", resolve);
    if (parent < 0)
        return -1;
    return mkdirat(parent, slash ? slash + 1 : prefix, 0755) < 0 && errno != EEXIST ? -1 : 0;
}

/* Makes what is missing of `path`, component by component. */
static int make_parents(int root, const char* path, size_t length, uint64_t resolve) {
    for (size_t i = 1; i <= length; i++) {
        bool ends_component = i == length || path[i] == '/';
        if (ends_component && path[i - 1] != '/' && make_one(root, path, i, resolve) < 0)
            return -1;
    }
    return 0;
}

static int make_directory(int root, const char* path, uint64_t resolve, struct err* err) {
    size_t length = strlen(path);
    if (length == 0 || length >= PATH_MAX)
        return err_set(err, HRUN_ERROR_CONFIG, ENAMETOOLONG, "path of %zu bytes", length);
    int found = find(root, path, resolve);
    if (found < 0 && errno == ENOENT && make_parents(root, path, length, resolve) == 0)
        found = find(root, path, resolve);
    return found < 0 ? err_system(err, "make directory %s in the image's root", path) : found;
}

int root_make_directory(int root, const char* path, struct err* err) {
    return make_directory(root, path, 0, err);
}

int root_make_real_directory(int root, const char* path, struct err* err) {
    return make_directory(root, path, RESOLVE_NO_SYMLINKS, err);
}

int root_make_file(int root, const char* path, struct err* err) {
    size_t length = strlen(path);
    int found = root_find(root, path);
    if (found >= 0 || errno != ENOENT || length >= PATH_MAX)
        return found >= 0 ? found : err_system(err, "find %s in the image's root", path);
    const char* name = strrchr(path, '/');
    size_t parent_length = name ? (size_t)(name - path) : 0;
    if (parent_length > 0 && make_parents(root, path, parent_length, 0) < 0)
        return err_system(err, "make the directory of %s in the image's root", path);
    owned_fd made = open_in(root, path, O_CREAT | O_WRONLY | O_NOCTTY, 0644, RESOLVE_IN_ROOT);
    if (made < 0)
        return err_system(err, "make %s in the image's root", path);
    found = root_find(root, path);
    return found < 0 ? err_system(err, "find %s in the image's root", path) : found;
}
