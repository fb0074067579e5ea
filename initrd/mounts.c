/* SPDX-License-Identifier: Apache-2.0 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "mount_options.h"
#include "protocol.h"

#define AT_RECURSIVE_FLAG 0x8000 /* AT_RECURSIVE of linux/fcntl.h, which cannot be included with fcntl.h */

static int fsopen(const char* type) {
    return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static int fsconfig(int context, unsigned command, const char* key, const void* value) {
    return (int)syscall(SYS_fsconfig, context, command, key, value, 0);
}

static int fsmount(int context, uint64_t attributes) {
    return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, (unsigned)attributes);
}

/* The failed call's errno, and the newest line of the context's own log, which says what it was about. */
static int context_failed(int context, const char* what, struct err* err) {
    char log[256];
    int number = errno;
    ssize_t length = read(context, log, sizeof(log) - 1);
    errno = number;
    if (length <= 0)
        return err_system(err, "%s", what);
    log[length] = '\0';
    log[strcspn(log, "\n")] = '\0';
    /* "e message": severity, a space, the message */
    return err_system(err, "%s: %s", what, length > 2 ? log + 2 : log);
}

/* Hands the file system its options and collects the mount's attributes. */
static int apply_options(int context, const char* type, const char* options, uint64_t* attributes,
                         struct err* err) {
    struct mount_option option;
    while (mount_option_next(&options, &option)) {
        int result = 0;
        if (option.type == MOUNT_OPTION_BAD)
            return err_set(err, HRUN_ERROR_CONFIG, EINVAL, "mount %s: option \"%s\" is not supported", type,
                           option.key);
        if (option.type == MOUNT_OPTION_ATTRIBUTE)
            *attributes = (*attributes & ~option.clear) | option.set;
        else if (option.value)
            result = fsconfig(context, FSCONFIG_SET_STRING, option.key, option.value);
        else
            result = fsconfig(context, FSCONFIG_SET_FLAG, option.key, NULL);
        if (result < 0) {
            char what[MOUNT_OPTION_SIZE + 64];
            snprintf(what, sizeof(what), "mount %s: option \"%s\"", type, option.key);
            return context_failed(context, what, err);
        }
    }
    return 0;
}

static int create(int context, const char* type, const char* source, uint64_t attributes, struct err* err) {
    char what[128];
    snprintf(what, sizeof(what), "mount %s %s", type, source);
    if (fsconfig(context, FSCONFIG_SET_STRING, "source", source) < 0)
        return context_failed(context, what, err);
    if (source[0] == '/' && (attributes & MOUNT_ATTR_RDONLY) &&
        fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL) < 0)
        return context_failed(context, what, err);
    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
        return context_failed(context, what, err);
    int mount = fsmount(context, attributes);
    return mount < 0 ? context_failed(context, what, err) : mount;
}

int mount_make(const char* type, const char* source, const char* options, struct err* err) {
    uint64_t attributes = 0;
    owned_fd context = fsopen(type);
    if (context < 0)
        return err_system(err, "mount %s: the guest kernel does not have it", type);
    if (apply_options(context, type, options, &attributes, err) < 0)
        return -1;
    return create(context, type, source, attributes, err);
}

int mount_attach(int mount, int place, const char* name, struct err* err) {
    if (syscall(SYS_move_mount, mount, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return err_system(err, "mount on %s", name);
    return 0;
}

int mount_at(const char* type, const char* source, const char* options, const char* path, struct err* err) {
    owned_fd mount = mount_make(type, source, options, err);
    if (mount < 0)
        return -1;
    if (syscall(SYS_move_mount, mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return err_system(err, "mount on %s", path);
    return 0;
}

int overlay_open(struct err* err) {
    int context = fsopen("overlay");
    return context < 0 ? err_system(err, "mount overlay: the guest kernel does not have it") : context;
}

int overlay_set(int overlay, const char* key, const char* value, struct err* err) {
    if (fsconfig(overlay, FSCONFIG_SET_STRING, key, value) < 0)
        return context_failed(overlay, "stack the layers", err);
    return 0;
}

int overlay_make(int overlay, struct err* err) {
    if (fsconfig(overlay, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
        return context_failed(overlay, "stack the layers", err);
    int mount = fsmount(overlay, 0);
    return mount < 0 ? context_failed(overlay, "stack the layers", err) : mount;
}

int mount_copy(int place, struct err* err) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE_FLAG;
    int copy = (int)syscall(SYS_open_tree, place, "", flags);
    return copy < 0 ? err_system(err, "copy a mount") : copy;
}

int mount_set_attributes(int mount, const char* options, const char* other, struct err* err) {
    struct mount_option option;
    struct mount_attr attributes = {0};
    while (mount_option_next(&options, &option)) {
        if (strcmp(option.key, other) == 0)
            continue;
        if (option.type != MOUNT_OPTION_ATTRIBUTE)
            return err_set(err, HRUN_ERROR_CONFIG, EINVAL, "bind mount: option \"%s\" is not supported",
                           option.key);
        attributes.attr_set = (attributes.attr_set & ~option.clear) | option.set;
        attributes.attr_clr |= option.clear;
    }
    if (syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | AT_RECURSIVE_FLAG, &attributes,
                sizeof(attributes)) < 0)
        return err_system(err, "set the attributes of a mount");
    return 0;
}

int mount_set_readonly(int mount, bool recursive, struct err* err) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE_FLAG : 0);
    if (syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof(attributes)) < 0)
        return err_system(err, "make a mount read-only");
    return 0;
}
