/* SPDX-License-Identifier: Apache-2.0 */
#include "oci_mounts.h"

#include <stdbool.h>
#include <stdio.h>

#include "cleanup.h"
#include "dev_nodes.h"
#include "mounts.h"
#include "protocol.h"
#include "root_path.h"
#include "shares.h"

#define SHM_OPTIONS "nosuid,nodev,noexec,mode=1777,size=%llu"

/* Mounts one of the defaults; nobody's symbolic link may be in the way. */
static int mount_default(int root, const char* type, const char* source, const char* options,
                         const char* target, struct err* err) {
    owned_fd place = root_make_real_directory(root, target, err);
    if (place < 0)
        return -1;
    owned_fd mount = mount_make(type, source, options, err);
    return mount < 0 ? -1 : mount_attach(mount, place, target, err);
}

/* /dev is filled before it can be seen. */
static int mount_dev(int root, bool privileged, struct err* err) {
    owned_fd place = root_make_real_directory(root, "/dev", err);
    if (place < 0)
        return -1;
    owned_fd dev = privileged ? mount_make("devtmpfs", "devtmpfs", "nosuid", err)
                              : mount_make("tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k", err);
    if (dev < 0)
        return -1;
    if (privileged ? dev_links_make(dev, err) : dev_nodes_make(dev, err))
        return -1;
    return mount_attach(dev, place, "/dev", err);
}

static int mount_below_dev(int root, uint64_t shm_size, struct err* err) {
    char shm[80];
    snprintf(shm, sizeof(shm), SHM_OPTIONS, (unsigned long long)shm_size);
    if (mount_default(root, "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
                      "/dev/pts", err) < 0)
        return -1;
    if (mount_default(root, "tmpfs", "shm", shm, "/dev/shm", err) < 0)
        return -1;
    return mount_default(root, "mqueue", "mqueue", "nosuid,nodev,noexec", "/dev/mqueue", err);
}

int oci_mounts_make(int root, const struct configure* configure, struct err* err) {
    bool privileged = configure->flags & HRUN_CONF_FLAG_PRIVILEGED;
    const char* sys = privileged ? "nosuid,nodev,noexec" : "nosuid,nodev,noexec,ro";
    if (mount_default(root, "proc", "proc", "nosuid,nodev,noexec", "/proc", err) < 0)
        return -1;
    if (mount_dev(root, privileged, err) < 0 || mount_below_dev(root, configure->shm_size, err) < 0)
        return -1;
    if (mount_default(root, "sysfs", "sysfs", sys, "/sys", err) < 0)
        return -1;
    return mount_default(root, "cgroup2", "cgroup", sys, "/sys/fs/cgroup", err);
}

static int mount_file_system(int root, const struct mount_request* request, struct err* err) {
    owned_fd place = root_make_directory(root, request->target, err);
    if (place < 0)
        return -1;
    owned_fd mount = mount_make(request->type, request->source, request->options, err);
    return mount < 0 ? -1 : mount_attach(mount, place, request->target, err);
}

int user_mounts_make(int root, const struct configure* configure, struct err* err) {
    for (size_t i = 0; i < configure->mount_count; i++) {
        const struct mount_request* request = &configure->mounts[i];
        int mounted = share_requested(request) ? share_mount(root, request, err)
                                               : mount_file_system(root, request, err);
        if (mounted < 0)
            return -1;
    }
    return 0;
}
