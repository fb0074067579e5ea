/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's control group (version 2), whose root the container sees as its own.
 */
#ifndef HRUN_CGROUP_H
#define HRUN_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

#define CONTAINER_GROUP "container" /* of the machine's own container; names of others begin otherwise */

/* Mounts the hierarchy and hands its controllers down. */
int cgroup_mount(struct err* err);

/* Makes a container's group. Returns a descriptor of its directory. */
int cgroup_make(const char* name, struct err* err);

/* Kills every process of the group. */
void cgroup_kill(int cgroup);

/* True when no process is in the group any more. */
bool cgroup_is_empty(int cgroup);

/* Removes an empty group. */
void cgroup_remove(const char* name);

/* Set pids.max and memory.max (bytes); UINT64_MAX is none. */
int cgroup_set_pids_max(int cgroup, uint64_t most, struct err* err);
int cgroup_set_memory_max(int cgroup, uint64_t most, struct err* err);

/* Stops every process of the group, or lets all go on; returns when it is so, or a process deep in the kernel keeps it waiting. */
int cgroup_freeze(int cgroup, bool frozen, struct err* err);

/* True while the group stands still because it was told to. */
bool cgroup_is_frozen(int cgroup);

/* How many of its processes the OOM killer has ended so far; 0 if the kernel does not count. */
uint64_t cgroup_oom_kills(int cgroup);

#endif
