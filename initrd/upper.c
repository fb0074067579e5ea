/* SPDX-License-Identifier: Apache-2.0 */
#include "upper.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

bool upper_is_whiteout(const struct stat* status) {
    return S_ISCHR(status->st_mode) && status->st_rdev == 0;
}

bool upper_is_opaque(const struct found_file* directory) {
    size_t length;
    owned_memory char* value = found_file_xattr(directory, "trusted.overlay.opaque", &length);
    return value && length == 1 && value[0] == 'y';
}

static bool image_has(int image, const char* path) {
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    owned_fd found = image < 0 ? -1 : (int)syscall(SYS_openat2, image, path, &how, sizeof(how));
    return found >= 0;
}

static bool is_generated(const struct configure* configure, const char* path) {
    for (size_t i = 0; i < configure->files.count; i++)
        if (configure->files.items[i].target[0] == '/' &&
            strcmp(configure->files.items[i].target + 1, path) == 0)
            return true;
    return false;
}

bool upper_is_mount_point(const struct configure* configure, int image, const char* path,
                          const struct stat* status) {
    static const char* const directories[] = {"proc", "sys", "dev"};
    if (S_ISREG(status->st_mode) && status->st_size == 0 && is_generated(configure, path))
        return !image_has(image, path);
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        if (S_ISDIR(status->st_mode) && strcmp(directories[i], path) == 0)
            return !image_has(image, path);
    return false;
}
