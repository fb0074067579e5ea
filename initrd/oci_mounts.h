/* SPDX-License-Identifier: Apache-2.0
 *
 * The mounts every container has, as Docker makes them: /proc, /dev, /dev/pts, /dev/shm, /dev/mqueue, /sys
 * and /sys/fs/cgroup.
 */
#ifndef HRUN_OCI_MOUNTS_H
#define HRUN_OCI_MOUNTS_H

#include "configure.h"
#include "err.h"

/* Mounts them in `root`. The caller is in the container's own namespaces already: pid for /proc, ipc for
 * /dev/mqueue, cgroup for /sys/fs/cgroup. */
int oci_mounts_make(int root, const struct configure* configure, struct err* err);

/* Mounts what the user asked for (HRUN_CONF_MOUNT), in order. */
int user_mounts_make(int root, const struct configure* configure, struct err* err);

#endif
