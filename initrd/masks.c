/* SPDX-License-Identifier: Apache-2.0 */
#include "masks.h"

#include <errno.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "mounts.h"
#include "root_path.h"

/* What is mounted over a path to hide it. */
static int make_cover(int root, int place, struct err* err) {
    struct stat status;
    if (fstat(place, &status) < 0)
        return err_system(err, "look at a masked path");
    if (S_ISDIR(status.st_mode))
        return mount_make("tmpfs", "tmpfs", "ro,size=0", err);
    owned_fd null = root_find(root, "/dev/null");
    return null < 0 ? err_system(err, "find /dev/null in the image's root") : mount_copy(null, err);
}

static int hide(int root, const char* path, struct err* err) {
    owned_fd place = root_find(root, path);
    if (place < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_system(err, "mask %s", path);
    owned_fd cover = make_cover(root, place, err);
    return cover < 0 ? -1 : mount_attach(cover, place, path, err);
}

static int protect(int root, const char* path, struct err* err) {
    owned_fd place = root_find(root, path);
    if (place < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_system(err, "make %s read-only", path);
    owned_fd copy = mount_copy(place, err);
    if (copy < 0 || mount_set_readonly(copy, true, err) < 0)
        return -1;
    return mount_attach(copy, place, path, err);
}

int masks_hide(int root, const struct string_list* paths, struct err* err) {
    for (size_t i = 0; i < paths->count; i++)
        if (hide(root, paths->items[i], err) < 0)
            return -1;
    return 0;
}

int masks_protect(int root, const struct string_list* paths, struct err* err) {
    for (size_t i = 0; i < paths->count; i++)
        if (protect(root, paths->items[i], err) < 0)
            return -1;
    return 0;
}
