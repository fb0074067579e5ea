/* SPDX-License-Identifier: Apache-2.0
 *
 * The one container of an agent: configured once, entered by its own process, joined by every exec.
 */
#ifndef HRUN_CONTAINER_H
#define HRUN_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "configure.h"
#include "err.h"
#include "nics.h"

enum container_state {
    CONTAINER_EMPTY,      /* waits for CONFIGURE */
    CONTAINER_CONFIGURED, /* the root is mounted; waits for START of the init session */
    CONTAINER_STARTING,   /* its process is on the way to execve */
    CONTAINER_RUNNING,
    CONTAINER_GONE, /* its process ended, or CONFIGURE failed */
};

struct container {
    enum container_state state;
    struct configure configure;
    bool prepared;        /* container_prepare() was called */
    struct ready_nic nic; /* of a copy, if its template has made one ready */
    bool mounted;         /* its root is there */
    const char* sysfs;    /* where sysfs is mounted */
    const char* group;    /* its control group */
    int cgroup;           /* that group's directory */
    pid_t init;           /* its PID 1, in the agent's pid namespace */
    int init_pidfd;       /* the same, to join its namespaces by */
    int mounts; /* its mount namespace, once it runs: it is not taken apart before the host knows of the end */

    /* Of a further container in a machine: what the first was told, whose network, host name and files that tell of these it has.
     * NULL for the first. */
    const struct configure* first;
    struct err broken; /* with a text: why it cannot be configured */
};

/* What every container needs, whatever CONFIGURE will say: its device filter and, unless it shares a network, the loopback interface.
 * Done in advance where there is time for it, else by container_configure(). */
int container_prepare(struct container* container, struct err* err);

/* In the agent: carries out what CONFIGURE says as far as the agent's own namespaces go: clock, entropy,
 * disks, root, limits. */
int container_configure(struct container* container, const void* payload, size_t length, struct err* err);

/* In the init session's process, a child in new pid, mount, uts and ipc namespaces and in the container's
 * control group: builds the rest of the container and makes it this process's root. */
int container_enter(const struct container* container, struct err* err);

/* In the agent, once the container runs: what is mounted in it stays until container_release_mounts(). Without this the last exit takes all
 * of it apart before anybody hears of it. */
void container_hold_mounts(struct container* container);
void container_release_mounts(struct container* container);

/* In an exec's process, a child in the container's pid namespace: enters its other namespaces. */
int container_join(const struct container* container, struct err* err);

#endif
