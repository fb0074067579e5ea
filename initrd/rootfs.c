/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "devices.h"
#include "mounts.h"

#define UPPER ROOTFS_UPPER
#define WORK ROOTFS_DISK "/work"

static void layer_path(size_t index, char* path, size_t size) {
    snprintf(path, size, ROOTFS_LAYERS "/%zu", index);
}

static int mount_layer(const char* sysfs, uint32_t slot, size_t index, struct err* err) {
    char disk[80], path[32];
    layer_path(index, path, sizeof(path));
    if (device_disk_path(sysfs, slot, disk, sizeof(disk), err) < 0)
        return -1;
    if (mkdir(path, 0700) < 0)
        return err_system(err, "make directory %s", path);
    return mount_at("erofs", disk, "ro", path, err);
}

static int mount_writable(const struct configure* configure, const char* sysfs, struct err* err) {
    char disk[80];
    if (!configure->has_writable)
        return mount_at("tmpfs", "tmpfs", "mode=0755", ROOTFS_DISK, err);
    if (device_disk_path(sysfs, configure->writable, disk, sizeof(disk), err) < 0)
        return -1;
    return mount_at("ext4", disk, MOUNT_EXT4_OPTIONS, ROOTFS_DISK, err);
}

/* A new upper directory is what the user sees as "/": it takes owner, mode and time of the top layer's. */
static int copy_root_attributes(size_t layer_count, struct err* err) {
    char top[32];
    struct stat status;
    if (layer_count == 0)
        return 0;
    layer_path(layer_count - 1, top, sizeof(top));
    if (stat(top, &status) < 0)
        return err_system(err, "read the root of the top layer");
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    if (chown(UPPER, status.st_uid, status.st_gid) < 0 || chmod(UPPER, status.st_mode & 07777) < 0 ||
        utimensat(AT_FDCWD, UPPER, times, 0) < 0)
        return err_system(err, "set the attributes of the root");
    return 0;
}

static int make_upper(size_t layer_count, struct err* err) {
    if (mkdir(WORK, 0700) < 0 && errno != EEXIST)
        return err_system(err, "make directory " WORK);
    if (mkdir(UPPER, 0755) == 0)
        return copy_root_attributes(layer_count, err);
    return errno == EEXIST ? 0 : err_system(err, "make directory " UPPER);
}

/* overlayfs takes the layers one by one ("lowerdir+", Linux 6.8), topmost first, so that their number is not
 * bounded by the page that mount(2) options must fit in. */
static int add_layers(int overlay, size_t layer_count, struct err* err) {
    for (size_t i = layer_count; i > 0; i--) {
        char path[32];
        layer_path(i - 1, path, sizeof(path));
        if (overlay_set(overlay, "lowerdir+", path, err) < 0)
            return -1;
    }
    return overlay_set(overlay, "source", "overlay", err);
}

static int stack(size_t layer_count, struct err* err) {
    owned_fd overlay = overlay_open(err);
    if (overlay < 0 || add_layers(overlay, layer_count, err) < 0)
        return -1;
    if (overlay_set(overlay, "upperdir", UPPER, err) < 0 || overlay_set(overlay, "workdir", WORK, err) < 0)
        return -1;
    return overlay_make(overlay, err);
}

/* An overlay without an upper directory has two layers or more. */
int rootfs_open_image(size_t layer_count, int* root, struct err* err) {
    *root = -1;
    if (layer_count == 0)
        return 0;
    if (layer_count == 1) {
        char path[32];
        layer_path(0, path, sizeof(path));
        *root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return *root < 0 ? err_system(err, "open the image's layer") : 0;
    }
    owned_fd overlay = overlay_open(err);
    if (overlay < 0 || add_layers(overlay, layer_count, err) < 0)
        return -1;
    *root = overlay_make(overlay, err);
    return *root < 0 ? -1 : 0;
}

/* An image without layers is its writable directory alone. */
static int make_root(size_t layer_count, struct err* err) {
    if (layer_count > 0)
        return stack(layer_count, err);
    owned_fd upper = open(UPPER, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return upper < 0 ? err_system(err, "open " UPPER) : mount_copy(upper, err);
}

int rootfs_mount(const struct configure* configure, const char* sysfs, struct err* err) {
    for (size_t i = 0; i < configure->layer_count; i++)
        if (mount_layer(sysfs, configure->layers[i], i, err) < 0)
            return -1;
    if (mount_writable(configure, sysfs, err) < 0 || make_upper(configure->layer_count, err) < 0)
        return -1;
    owned_fd root = make_root(configure->layer_count, err);
    owned_fd place = open(ROOTFS_PATH, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -1;
    if (place < 0)
        return err_system(err, "open " ROOTFS_PATH);
    return mount_attach(root, place, ROOTFS_PATH, err);
}

/* Unmounts, or if something still holds on, makes sure that the disk is clean all the same. */
static int unmount(const char* path, struct err* err) {
    if (umount2(path, UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT)
        return 0;
    if (errno != EBUSY)
        return err_system(err, "unmount %s", path);
    if (mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0 && errno != EBUSY)
        return err_system(err, "make %s read-only", path);
    return 0;
}

int rootfs_unmount(struct err* err) {
    sync();
    int root = unmount(ROOTFS_PATH, err);
    int disk = unmount(ROOTFS_DISK, err);
    return root < 0 || disk < 0 ? -1 : 0;
}
