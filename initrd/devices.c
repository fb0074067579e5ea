/* SPDX-License-Identifier: Apache-2.0 */
#include "devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "protocol.h"

#define DRIVER "/bus/platform/drivers/virtio-mmio/"

/* Copies the first name of a directory that starts with `prefix`. Without readdir(3): its buffer is memory that is mapped and unmapped
 * again, too much for what a template does until it is copied. */
static bool first_entry(int parent, const char* path, const char* prefix, char* name, size_t size) {
    _Alignas(struct dirent) char entries[2048];
    owned_fd directory = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return false;
    for (long length; (length = syscall(SYS_getdents64, directory, entries, sizeof(entries))) > 0;)
        for (long at = 0; at < length;) {
            const struct dirent* entry = (const struct dirent*)(entries + at);
            if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
                return snprintf(name, size, "%s", entry->d_name) < (int)size;
            at += entry->d_reclen;
        }
    return false;
}

/* Tells the driver about a slot's device: `what` is "bind" or "unbind". */
static int tell_driver(const char* sysfs, const char* what, uint32_t slot, struct err* err) {
    char path[PATH_MAX], name[32];
    snprintf(path, sizeof(path), "%s" DRIVER "%s", sysfs, what);
    int length = snprintf(name, sizeof(name), "virtio-mmio.%u", slot);
    owned_fd file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, name, (size_t)length) < 0)
        return err_system(err, "slot %u: %s virtio-mmio.%u", slot, what, slot);
    return 0;
}

/* Has the driver take the slot's device. */
static int bind_slot(const char* sysfs, uint32_t slot, struct err* err) {
    return tell_driver(sysfs, "bind", slot, err);
}

static int open_device(const char* sysfs, uint32_t slot, struct err* err) {
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/bus/platform/devices/virtio-mmio.%u", sysfs, slot);
    int device = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return device < 0 ? err_system(err, "slot %u: the machine has no virtio-mmio.%u", slot, slot) : device;
}

int device_bind(const char* sysfs, uint32_t slot, struct err* err) {
    char virtio[64];
    owned_fd device = open_device(sysfs, slot, err);
    if (device < 0)
        return -1;
    return first_entry(device, ".", "virtio", virtio, sizeof(virtio)) ? 0 : bind_slot(sysfs, slot, err);
}

/* What the driver made of the device: the one entry of its directory `class`. */
static bool find_made(int device, const char* class, char* name, size_t size) {
    char virtio[64], path[80];
    if (!first_entry(device, ".", "virtio", virtio, sizeof(virtio)))
        return false;
    snprintf(path, sizeof(path), "%s/%s", virtio, class);
    return first_entry(device, path, "", name, size);
}

static int find_or_bind(const char* sysfs, uint32_t slot, const char* class, const char* what, char* name,
                        size_t size, struct err* err) {
    owned_fd device = open_device(sysfs, slot, err);
    if (device < 0)
        return -1;
    if (find_made(device, class, name, size))
        return 0;
    if (bind_slot(sysfs, slot, err) < 0)
        return -1;
    if (find_made(device, class, name, size))
        return 0;
    return err_set(err, HRUN_ERROR_CONFIG, ENODEV, "slot %u: virtio-mmio.%u is not a %s", slot, slot, what);
}

int device_disk_path(const char* sysfs, uint32_t slot, char* path, size_t size, struct err* err) {
    char disk[64];
    if (find_or_bind(sysfs, slot, "block", "disk", disk, sizeof(disk), err) < 0)
        return -1;
    snprintf(path, size, "/dev/%s", disk);
    return 0;
}

int device_interface(const char* sysfs, uint32_t slot, char* name, size_t size, struct err* err) {
    return find_or_bind(sysfs, slot, "net", "network interface", name, size, err);
}

int device_interface_release(const char* sysfs, uint32_t slot, struct err* err) {
    char name[64];
    owned_fd device = open_device(sysfs, slot, err);
    if (device < 0)
        return -1;
    return find_made(device, "net", name, sizeof(name)) ? tell_driver(sysfs, "unbind", slot, err) : 0;
}

int device_release(const char* sysfs, uint32_t slot, struct err* err) {
    char virtio[64];
    owned_fd device = open_device(sysfs, slot, err);
    if (device < 0)
        return -1;
    return first_entry(device, ".", "virtio", virtio, sizeof(virtio))
               ? tell_driver(sysfs, "unbind", slot, err)
               : 0;
}

uint32_t device_status(const char* sysfs, uint32_t slot) {
    char path[PATH_MAX], virtio[64], text[16] = "";
    struct err ignored;
    owned_fd device = open_device(sysfs, slot, &ignored);
    if (device < 0 || !first_entry(device, ".", "virtio", virtio, sizeof(virtio)))
        return 0;
    snprintf(path, sizeof(path), "%s/status", virtio);
    owned_fd file = openat(device, path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, text, sizeof(text) - 1) <= 0)
        return 0;
    return (uint32_t)strtoul(text, NULL, 16);
}
