/* SPDX-License-Identifier: Apache-2.0
 *
 * What outlives the container: entries of the one virtiofs file system that the host shares, and volumes on disks of their
 * own, each bound to its target.
 */
#ifndef HRUN_SHARES_H
#define HRUN_SHARES_H

#include <stdbool.h>
#include <stdint.h>

#include "configure.h"
#include "err.h"

#define SHARES_PATH "/shares" /* in the agent's own mount namespace */

#define DISKS_PATH "/volumes"

/* Mounts the virtiofs device at SHARES_PATH and the disks of volumes below DISKS_PATH. */
int shares_mount(const struct configure* configure, const char* sysfs, struct err* err);

/* Writes the disks of volumes out and unmounts them; nothing may use them any more. */
int shares_unmount(const struct configure* configure, struct err* err);

/* Fills every empty directory whose mount says "copy" with what the image has at its target. A copy that was cut short is
 * begun again; containers that start at the same time with the same directory wait for each other. */
int shares_fill(int root, const struct configure* configure, struct err* err);

/* True for a mount of type "share" or "disk". */
bool share_requested(const struct mount_request* request);

/* Binds the shared directory or file to its target inside `root`, which is made if it is missing. */
int share_mount(int root, const struct mount_request* request, struct err* err);

#endif
