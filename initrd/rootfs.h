/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's root: EROFS layers under one writable disk, stacked by overlayfs.
 */
#ifndef HRUN_ROOTFS_H
#define HRUN_ROOTFS_H

#include "configure.h"
#include "err.h"

#define ROOTFS_PATH "/container" /* the root, in the agent's own mount namespace */
#define ROOTFS_LAYERS "/layers"  /* a directory for each layer's mount */
#define ROOTFS_DISK "/writable"  /* the writable disk: "upper" and "work" */
#define ROOTFS_UPPER ROOTFS_DISK "/upper"

/* Mounts the disks that `configure` names and stacks them at ROOTFS_PATH. */
int rootfs_mount(const struct configure* configure, const char* sysfs, struct err* err);

/* The layers alone, stacked read-only, as a descriptor of their root: what the image has. `root` is -1 when it has none. */
int rootfs_open_image(size_t layer_count, int* root, struct err* err);

/* Writes everything out and unmounts root and disk; nothing may use the root any more. */
int rootfs_unmount(struct err* err);

#endif
