/* SPDX-License-Identifier: Apache-2.0 */
#include "shares.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "devices.h"
#include "mounts.h"
#include "protocol.h"
#include "root_path.h"
#include "tree_copy.h"

#define SHARE_TAG "hrun" /* docs/agent-protocol.md */

/* In a directory that is being filled: locked by whoever does it, gone when it is done. */
#define MARKER ".hrun-copying"
#define DISK_DATA "data"         /* on the disk of a volume */
#define MARKER_PAUSE_NS 20000000 /* virtiofsd cannot wait for a lock */
#define COPY_OPTION "copy"

enum content { CONTENT_NONE, CONTENT_UNFINISHED, CONTENT_THERE };

static bool is_disk(const struct mount_request* request) {
    return strcmp(request->type, "disk") == 0;
}

bool share_requested(const struct mount_request* request) {
    return is_disk(request) || strcmp(request->type, "share") == 0;
}

static int make_directory(const char* path, mode_t mode, struct err* err) {
    return mkdir(path, mode) < 0 && errno != EEXIST ? err_system(err, "make directory %s", path) : 0;
}

static int mount_virtiofs(const char* sysfs, uint32_t slot, struct err* err) {
    if (device_bind(sysfs, slot, err) < 0 || make_directory(SHARES_PATH, 0700, err) < 0)
        return -1;
    return mount_at("virtiofs", SHARE_TAG, "", SHARES_PATH, err);
}

/* The volume is a directory of its disk, so that no lost+found is in it. A disk that the host made read-only cannot have
 * its journal replayed. */
static int mount_disk(const char* sysfs, const struct mount_request* request, struct err* err) {
    char disk[80], path[64], data[80];
    struct stat status;
    snprintf(path, sizeof(path), DISKS_PATH "/%s", request->source);
    snprintf(data, sizeof(data), "%s/" DISK_DATA, path);
    if (stat(data, &status) == 0) /* another mount of the same volume */
        return 0;
    if (make_directory(DISKS_PATH, 0700, err) < 0 || make_directory(path, 0700, err) < 0 ||
        device_disk_path(sysfs, (uint32_t)atoi(request->source), disk, sizeof(disk), err) < 0)
        return -1;
    if (mount_at("ext4", disk, MOUNT_EXT4_OPTIONS, path, err) == 0)
        return make_directory(data, 0755, err);
    if (err->number != EROFS && err->number != EACCES)
        return -1;
    return mount_at("ext4", disk, "ro,noload", path, err);
}

int shares_mount(const struct configure* configure, const char* sysfs, struct err* err) {
    if (configure->has_share && mount_virtiofs(sysfs, configure->share, err) < 0)
        return -1;
    for (size_t i = 0; i < configure->mount_count; i++)
        if (is_disk(&configure->mounts[i]) && mount_disk(sysfs, &configure->mounts[i], err) < 0)
            return -1;
    return 0;
}

int shares_unmount(const struct configure* configure, struct err* err) {
    for (size_t i = 0; i < configure->mount_count; i++) {
        char path[64];
        if (!is_disk(&configure->mounts[i]))
            continue;
        snprintf(path, sizeof(path), DISKS_PATH "/%s", configure->mounts[i].source);
        if (umount2(path, UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT && errno != EBUSY)
            return err_system(err, "unmount %s", path);
    }
    return 0;
}

/* "ro,copy" has it, "copyright" has not. */
static bool wants_copy(const char* options) {
    size_t length = strlen(COPY_OPTION);
    for (const char* at = options; (at = strstr(at, COPY_OPTION)); at += length)
        if ((at == options || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

/* An O_PATH descriptor of an entry. Only a path that asks for a directory crosses into the entry's own mount. */
static int open_entry(const struct mount_request* request, bool* is_directory, struct err* err) {
    char path[64];
    const char* name = request->source;
    snprintf(path, sizeof(path), is_disk(request) ? DISKS_PATH "/%s/" DISK_DATA : SHARES_PATH "/%s", name);
    int entry = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *is_directory = entry >= 0;
    if (entry < 0 && errno == ENOTDIR)
        entry = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return entry < 0 ? err_system(err, "open share %s", name) : entry;
}

static enum content look_at(int directory, struct err* err) {
    enum content found = CONTENT_NONE;
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    owned_dir entries = copy < 0 ? NULL : fdopendir(copy);
    if (!entries)
        return err_system(err, "look into a volume"), CONTENT_THERE;
    for (struct dirent* entry; (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (strcmp(entry->d_name, MARKER) == 0)
            return CONTENT_UNFINISHED;
        found = CONTENT_THERE;
    }
    return found;
}

/* Takes the marker's lock. Returns its descriptor, or -1 with errno; it may be another's that has been removed. */
static int take_marker(int directory) {
    owned_fd marker = openat(directory, MARKER, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const struct timespec pause = {.tv_nsec = MARKER_PAUSE_NS};
    if (marker < 0)
        return -1;
    while (fcntl(marker, F_SETLK, &whole) < 0) {
        if (errno != EAGAIN && errno != EACCES)
            return -1;
        nanosleep(&pause, NULL);
    }
    return take_fd(&marker);
}

static int fill(int from, int directory, const char* target, struct err* err) {
    struct stat status;
    owned_fd marker = take_marker(directory);
    if (marker < 0 || fstat(marker, &status) < 0)
        return err_system(err, "lock the volume for %s", target);
    if (status.st_nlink == 0) /* it was filled while this waited */
        return 0;
    if (tree_copy(from, directory, err) < 0)
        return -1;
    if (syncfs(directory) < 0 || unlinkat(directory, MARKER, 0) < 0)
        return err_system(err, "finish the volume for %s", target);
    return 0;
}

static int fill_one(int root, const struct mount_request* request, struct err* err) {
    bool is_directory;
    owned_fd entry = open_entry(request, &is_directory, err);
    if (entry < 0)
        return -1;
    owned_fd from = root_open_directory(root, request->target);
    if (from < 0 || !is_directory) /* the image has nothing there to copy */
        return 0;
    owned_fd directory = openat(entry, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return err_system(err, "open the volume for %s", request->target);
    err->text[0] = '\0';
    enum content content = look_at(directory, err);
    if (content == CONTENT_THERE)
        return err->text[0] ? -1 : 0;
    return fill(from, directory, request->target, err);
}

int shares_fill(int root, const struct configure* configure, struct err* err) {
    for (size_t i = 0; i < configure->mount_count; i++) {
        const struct mount_request* request = &configure->mounts[i];
        if (share_requested(request) && wants_copy(request->options) && fill_one(root, request, err) < 0)
            return -1;
    }
    return 0;
}

int share_mount(int root, const struct mount_request* request, struct err* err) {
    bool is_directory;
    owned_fd entry = open_entry(request, &is_directory, err);
    if (entry < 0)
        return -1;
    owned_fd place = is_directory ? root_make_directory(root, request->target, err)
                                  : root_make_file(root, request->target, err);
    if (place < 0)
        return -1;
    owned_fd mount = mount_copy(entry, err);
    if (mount < 0 || mount_set_attributes(mount, request->options, COPY_OPTION, err) < 0)
        return -1;
    return mount_attach(mount, place, request->target, err);
}
