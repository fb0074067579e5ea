/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_view.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "caps.h"
#include "cleanup.h"
#include "found_file.h"
#include "kernel_file.h"
#include "rootfs.h"

#define MAX_DESCRIPTORS 8192 /* of a tree: two for each level, four where two trees are compared */

#define CAP(name) (UINT64_C(1) << (name))
#define READ_RIGHTS CAP(CAP_DAC_READ_SEARCH)
#define WRITE_RIGHTS                                                                                         \
    (CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_FOWNER) | CAP(CAP_FSETID) | \
     CAP(CAP_MKNOD) | CAP(CAP_SETFCAP))
/* trusted.* attributes, the overlay's and the container's; only where no mount of the container's is in sight */
#define WHOLE_RIGHTS (CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_SYS_ADMIN))

static uint64_t rights_of(enum hrun_archive operation) {
    switch (operation) {
    case HRUN_ARCHIVE_STAT:
    case HRUN_ARCHIVE_GET:
        return READ_RIGHTS;
    case HRUN_ARCHIVE_PUT:
        return WRITE_RIGHTS;
    default:
        return WHOLE_RIGHTS;
    }
}

/* When memory is short this process goes, not the container's, and never the agent. */
static void offer_to_oom_killer(void) {
    kernel_file_write(AT_FDCWD, "/proc/self/oom_score_adj", "1000");
}

static int change_root(const char* path, struct err* err) {
    if (chroot(path) < 0)
        return err_system(err, "enter %s", path);
    return 0;
}

/* The container's mounts, while there is a process that has them; it may end at any time. */
static int join_container(const struct container* container, struct archive_view* view, struct err* err) {
    if (container->state == CONTAINER_RUNNING) {
        if (setns(container->init_pidfd, CLONE_NEWNS) == 0) {
            view->running = true;
            return 0;
        }
        if (errno != ESRCH)
            return err_system(err, "join the container's mounts");
    }
    return change_root(ROOTFS_PATH, err);
}

static int enter_root(const struct container* container, enum hrun_archive operation,
                      struct archive_view* view, struct err* err) {
    switch (operation) {
    case HRUN_ARCHIVE_EXPORT:
        return change_root(ROOTFS_PATH, err);
    case HRUN_ARCHIVE_CHANGES:
    case HRUN_ARCHIVE_LAYER:
        if (rootfs_open_image(container->configure.layer_count, &view->lower, err) < 0)
            return -1;
        return change_root(ROOTFS_UPPER, err);
    default:
        return join_container(container, view, err);
    }
}

int archive_view_enter(const struct container* container, enum hrun_archive operation,
                       struct archive_view* view, struct err* err) {
    const struct rlimit descriptors = {MAX_DESCRIPTORS, MAX_DESCRIPTORS};
    uint64_t rights = rights_of(operation);
    *view = (struct archive_view){.lower = -1};
    offer_to_oom_killer();
    setrlimit(RLIMIT_NOFILE, &descriptors);
    owned_fd proc = found_file_keep_proc();
    if (proc < 0)
        return err_system(err, "open /proc/self/fd");
    if (enter_root(container, operation, view, err) < 0)
        return -1;
    if (found_file_use_proc(proc) < 0)
        return err_system(err, "enter /proc/self/fd");
    return caps_bound(rights, err) < 0 ? -1 : caps_apply(rights, 0, err);
}
