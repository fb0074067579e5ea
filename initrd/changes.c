/* SPDX-License-Identifier: Apache-2.0 */
#include "changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "tree_path.h"
#include "upper.h"

struct changes {
    const struct configure* configure;
    int image;
    struct tree_path path;
    struct err* err;
};

/* A file as the image has it. */
static const struct found_file nothing = {.fd = -1};

static int failed(const struct changes* changes, const char* what) {
    return err_system(changes->err, "%s %s", what, changes->path.text ? changes->path.text : "/");
}

/* Returns 1, for something has changed. */
static int tell(const struct changes* changes, char kind) {
    if (printf("%c/%s", kind, changes->path.text) < 0 || putchar('\0') == EOF)
        return failed(changes, "tell of");
    return 1;
}

/* Layers of some tools have whole seconds only. */
static bool same_time(const struct timespec* a, const struct timespec* b) {
    return a->tv_sec == b->tv_sec && (a->tv_nsec == b->tv_nsec || a->tv_nsec == 0 || b->tv_nsec == 0);
}

static bool same_capabilities(const struct found_file* a, const struct found_file* b) {
    size_t a_length, b_length;
    owned_memory char* a_value = found_file_xattr(a, "security.capability", &a_length);
    owned_memory char* b_value = found_file_xattr(b, "security.capability", &b_length);
    if (!a_value || !b_value)
        return !a_value && !b_value;
    return a_length == b_length && memcmp(a_value, b_value, a_length) == 0;
}

static bool differ(const struct found_file* now, const struct found_file* before) {
    const struct stat *a = &now->status, *b = &before->status;
    if (a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid ||
        a->st_rdev != b->st_rdev)
        return true;
    if (!S_ISDIR(a->st_mode) && (a->st_size != b->st_size || !same_time(&a->st_mtim, &b->st_mtim)))
        return true;
    return !same_capabilities(now, before);
}

static int compare_directories(struct changes* changes, const struct found_file* now,
                               const struct found_file* before);

/* Returns 1 if the file or something below it has changed, 0 if not. */
static int compare(struct changes* changes, const struct found_file* now, const struct found_file* before) {
    bool was_there = before->fd >= 0;
    if (upper_is_whiteout(&now->status))
        return was_there ? tell(changes, 'D') : 0;
    if (upper_is_mount_point(changes->configure, changes->image, changes->path.text, &now->status))
        return 0;
    bool was_directory = was_there && S_ISDIR(before->status.st_mode);
    int below = S_ISDIR(now->status.st_mode)
                    ? compare_directories(changes, now, was_directory ? before : &nothing)
                    : 0;
    if (below < 0)
        return -1;
    if (!was_there)
        return tell(changes, 'A');
    return below > 0 || differ(now, before) ? tell(changes, 'C') : 0;
}

/* An entry of `now`, or with `only_deleted` one of `before` that may be gone from `now`. */
static int compare_child(struct changes* changes, int now, int before, const char* name, bool only_deleted) {
    struct found_file upper = nothing, image = nothing;
    size_t length;
    int result = 0;
    if (tree_path_append(&changes->path, name, &length) < 0)
        return failed(changes, "compare");
    bool here = found_file_open(now, name, &upper) == 0;
    bool was_there = before >= 0 && found_file_open(before, name, &image) == 0;
    if (only_deleted)
        result = here ? 0 : tell(changes, 'D');
    else if (here)
        result = compare(changes, &upper, was_there ? &image : &nothing);
    if (here)
        close(upper.fd);
    if (was_there)
        close(image.fd);
    tree_path_cut(&changes->path, length);
    return result;
}

/* Calls compare_child for each name in `listed`. */
static int compare_children(struct changes* changes, const struct found_file* listed, int now, int before,
                            bool only_deleted) {
    int changed = 0;
    owned_fd fd = found_file_reopen(listed, O_RDONLY | O_DIRECTORY);
    owned_dir directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return failed(changes, "open");
    (void)take_fd(&fd);
    for (const struct dirent* entry; (entry = readdir(directory));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int result = compare_child(changes, now, before, entry->d_name, only_deleted);
        if (result < 0)
            return -1;
        changed |= result;
    }
    return changed;
}

/* What an opaque directory does not have any more was deleted with the directory that it replaced. */
static int compare_directories(struct changes* changes, const struct found_file* now,
                               const struct found_file* before) {
    int changed = compare_children(changes, now, now->fd, before->fd, false);
    if (changed < 0 || before->fd < 0 || !upper_is_opaque(now))
        return changed;
    int deleted = compare_children(changes, before, now->fd, before->fd, true);
    return deleted < 0 ? -1 : changed | deleted;
}

int changes_write(int image, const struct configure* configure, struct err* err) {
    struct changes changes = {.configure = configure, .image = image, .err = err};
    struct found_file upper, before = nothing;
    if (found_file_open(AT_FDCWD, "/", &upper) < 0)
        return err_system(err, "open the container's changes");
    if (image >= 0) {
        before.fd = image;
        if (fstat(image, &before.status) < 0)
            return err_system(err, "open the image's files");
    }
    if (compare_directories(&changes, &upper, &before) < 0)
        return -1;
    return fflush(stdout) == EOF ? err_system(err, "tell of the changes") : 0;
}
