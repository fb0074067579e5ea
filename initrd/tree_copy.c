/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cleanup.h"

#define MAX_XATTR 65536 /* XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h */
#define CHUNK (1 << 20)

static int copy_xattr(int from, int to, const char* name) {
    static char value[MAX_XATTR];
    ssize_t size = fgetxattr(from, name, value, sizeof(value));
    if (size < 0)
        return errno == ENODATA ? 0 : -1;
    /* The target's file system need not have every kind. */
    return fsetxattr(to, name, value, (size_t)size, 0) < 0 && errno != ENOTSUP ? -1 : 0;
}

static int copy_xattrs(int from, int to) {
    owned_memory char* names = malloc(MAX_XATTR);
    ssize_t length = names ? flistxattr(from, names, MAX_XATTR) : -1;
    if (length < 0)
        return names && errno == ENOTSUP ? 0 : -1;
    for (const char* name = names; name < names + length; name += strlen(name) + 1)
        if (copy_xattr(from, to, name) < 0)
            return -1;
    return 0;
}

/* After the content: writing would take set-user-ID bits and times away again. */
static int copy_attributes(int from, int to, const struct stat* status) {
    const struct timespec times[2] = {status->st_atim, status->st_mtim};
    if (fchown(to, status->st_uid, status->st_gid) < 0 || fchmod(to, status->st_mode & 07777) < 0 ||
        copy_xattrs(from, to) < 0)
        return -1;
    return futimens(to, times);
}

static int copy_file(int from_directory, int to_directory, const char* name, const struct stat* status) {
    owned_fd from = openat(from_directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    owned_fd to = openat(to_directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (from < 0 || to < 0)
        return -1;
    for (ssize_t sent; (sent = sendfile(to, from, NULL, CHUNK)) != 0;)
        if (sent < 0)
            return -1;
    return copy_attributes(from, to, status);
}

static int copy_link(int from_directory, int to_directory, const char* name) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(from_directory, name, target, sizeof(target) - 1);
    if (length < 0)
        return -1;
    target[length] = '\0';
    return symlinkat(target, to_directory, name);
}

static int copy_node(int to_directory, const char* name, const struct stat* status) {
    if (mknodat(to_directory, name, status->st_mode, status->st_rdev) < 0)
        return -1;
    return fchmodat(to_directory, name, status->st_mode & 07777,
                    0); /* follows no link: it has just been made */
}

static int copy_other(int from, int to, const char* name, const struct stat* status) {
    if (unlinkat(to, name, 0) < 0 && errno != ENOENT)
        return -1;
    if (S_ISREG(status->st_mode))
        return copy_file(from, to, name, status);
    if ((S_ISLNK(status->st_mode) ? copy_link(from, to, name) : copy_node(to, name, status)) < 0)
        return -1;
    const struct timespec times[2] = {status->st_atim, status->st_mtim};
    if (fchownat(to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_directory(int from, int to, const char* name, struct err* err) {
    if (mkdirat(to, name, 0700) < 0 && errno != EEXIST)
        return err_system(err, "copy %s to the volume", name);
    owned_fd inner_from = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    owned_fd inner_to = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner_from < 0 || inner_to < 0)
        return err_system(err, "copy %s to the volume", name);
    return tree_copy(inner_from, inner_to, err);
}

static int copy_entry(int from, int to, const char* name, struct err* err) {
    struct stat status;
    if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return err_system(err, "read %s of the image", name);
    if (S_ISDIR(status.st_mode))
        return copy_directory(from, to, name, err);
    if (copy_other(from, to, name, &status) < 0)
        return err_system(err, "copy %s to the volume", name);
    return 0;
}

int tree_copy(int from, int to, struct err* err) {
    int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    owned_dir entries = copy < 0 ? NULL : fdopendir(copy);
    struct stat status;
    if (!entries || fstat(from, &status) < 0)
        return err_system(err, "read a directory of the image");
    for (struct dirent* entry; (errno = 0, entry = readdir(entries));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            copy_entry(from, to, entry->d_name, err) < 0)
            return -1;
    if (errno != 0 || copy_attributes(from, to, &status) < 0)
        return err_system(err, "copy a directory to the volume");
    return 0;
}
