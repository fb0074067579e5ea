/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup.h"
#include "cleanup.h"
#include "clock.h"
#include "cpus.h"
#include "device_filter.h"
#include "files.h"
#include "loopback.h"
#include "masks.h"
#include "mounts.h"
#include "oci_mounts.h"
#include "protocol.h"
#include "rootfs.h"
#include "shares.h"
#include "sysctl.h"

#define MNT_DETACH_FLAG 2 /* MNT_DETACH of sys/mount.h, which cannot be included with linux/mount.h */

/* What belongs to the machine, or to all of its containers, was settled for the first. */
static int check_further(const struct container* container, struct err* err) {
    const struct configure* configure = &container->configure;
    if (container->broken.text[0])
        return *err = container->broken, -1;
    if (configure->hostname || configure->domainname || configure->files.count || configure->nics.count ||
        configure->has_share || configure->cpus || configure->time_ns || configure->entropy_length)
        return err_set(
            err, HRUN_ERROR_CONFIG, EINVAL,
            "a container that shares the machine of another has its clock, CPUs, names and network");
    return 0;
}

int container_prepare(struct container* container, struct err* err) {
    if (device_filter_attach(container->cgroup, err) < 0)
        return -1;
    if (!container->first && loopback_up(err) < 0)
        return -1;
    container->prepared = true;
    return 0;
}

static int carry_out(struct container* container, const void* payload, size_t length, struct err* err) {
    struct configure* configure = &container->configure;
    if (configure_parse(payload, length, configure, err) < 0)
        return -1;
    if (container->first && check_further(container, err) < 0)
        return -1;
    if (configure->time_ns && clock_set(configure->time_ns, err) < 0)
        return -1;
    if (configure->entropy_length && entropy_add(configure->entropy, configure->entropy_length, err) < 0)
        return -1;
    if (configure->pids_max && cgroup_set_pids_max(container->cgroup, configure->pids_max, err) < 0)
        return -1;
    if (configure->memory_max && cgroup_set_memory_max(container->cgroup, configure->memory_max, err) < 0)
        return -1;
    if (configure->cpus && cpus_set_online(container->sysfs, configure->cpus, err) < 0)
        return -1;
    if (!container->prepared && container_prepare(container, err) < 0)
        return -1;
    if ((configure->flags & HRUN_CONF_FLAG_PRIVILEGED) && device_filter_detach(container->cgroup, err) < 0)
        return -1;
    if (shares_mount(configure, container->sysfs, err) < 0 ||
        rootfs_mount(configure, container->sysfs, err) < 0)
        return -1;
    container->mounted = true;
    return 0;
}

int container_configure(struct container* container, const void* payload, size_t length, struct err* err) {
    if (container->state != CONTAINER_EMPTY)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "CONFIGURE came twice");
    container->state = CONTAINER_GONE;
    if (carry_out(container, payload, length, err) < 0) {
        err->kind = err->kind ? err->kind : HRUN_ERROR_CONFIG;
        return -1;
    }
    container->state = CONTAINER_CONFIGURED;
    return 0;
}

static int set_names(const struct configure* configure, struct err* err) {
    const char* host = configure->hostname;
    const char* domain = configure->domainname;
    if (host && sethostname(host, strlen(host)) < 0)
        return err_system(err, "set the host name \"%s\"", host);
    if (domain && setdomainname(domain, strlen(domain)) < 0)
        return err_system(err, "set the domain name \"%s\"", domain);
    return 0;
}

static int protect(int root, const struct configure* configure, struct err* err) {
    if (masks_hide(root, &configure->masked, err) < 0 || masks_protect(root, &configure->readonly, err) < 0)
        return -1;
    if (configure->flags & HRUN_CONF_FLAG_READONLY_ROOT)
        return mount_set_readonly(root, false, err);
    return 0;
}

/* Moves the root over the initramfs, as switch_root(8) does: a process whose root is the topmost mount at the
 * root of its namespace counts as not in a chroot, so user namespaces work in it. The agent's own mounts go,
 * lest an unmasked /proc be found below. */
static int switch_root(int root, struct err* err) {
    static const char* const agents[] = {"/proc", "/sys", "/dev"};
    for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++)
        if (syscall(SYS_umount2, agents[i], MNT_DETACH_FLAG) < 0)
            return err_system(err, "detach the agent's %s", agents[i]);
    if (fchdir(root) < 0 || syscall(SYS_move_mount, root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
        chroot(".") < 0 || chdir("/") < 0)
        return err_system(err, "enter the container's root");
    return 0;
}

int container_enter(const struct container* container, struct err* err) {
    const struct configure* configure = &container->configure;
    /* Only now: the namespace's root is the group that the process is in when it is made. */
    if (unshare(CLONE_NEWCGROUP) < 0)
        return err_system(err, "make the container's cgroup namespace");
    owned_fd root = open(ROOTFS_PATH, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_system(err, "open " ROOTFS_PATH);
    if (set_names(configure, err) < 0 || sysctls_set(configure, err) < 0)
        return -1;
    /* The image's own files are still in sight. */
    if (shares_fill(root, configure, err) < 0)
        return -1;
    if (oci_mounts_make(root, configure, err) < 0 || user_mounts_make(root, configure, err) < 0 ||
        files_bind(root, configure, err) < 0 ||
        (container->first && files_share(root, container->first, configure, err) < 0) ||
        protect(root, configure, err) < 0)
        return -1;
    return switch_root(root, err);
}

int container_join(const struct container* container, struct err* err) {
    if (setns(container->init_pidfd, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP) < 0)
        return err_system(err, "join the container");
    return 0;
}

/* Linux 6.11, linux/pidfd.h. */
#define GET_MOUNT_NAMESPACE _IO(0xff, 3)

void container_hold_mounts(struct container* container) {
    container->mounts =
        ioctl(container->init_pidfd, GET_MOUNT_NAMESPACE, 0); /* to do without costs time only */
}

void container_release_mounts(struct container* container) {
    if (container->mounts >= 0)
        close(container->mounts);
    container->mounts = -1;
}
