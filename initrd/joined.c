/* SPDX-License-Identifier: Apache-2.0 */
#include "joined.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "cgroup.h"
#include "cleanup.h"
#include "devices.h"
#include "fatal.h"
#include "kernel_file.h"
#include "listener.h"
#include "mounts.h"
#include "protocol.h"
#include "rootfs.h"
#include "shares.h"

#define LOOK_AGAIN_MS 5 /* whether the last process is gone */

struct joined {
    unsigned number; /* from 1 */
    char group[16];
    int cgroup;
    pid_t agent;                   /* 0 once reaped */
    struct connection* connection; /* that has brought it; NULL once gone */
    bool parting;
    uint32_t slots[HRUN_MAX_SLOT + 1];
    size_t slot_count;
    struct joined* next;
};

/* ---- in the new agent */

static void leave_mount(const char* path) {
    umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/* The first container's disks are not this one's to see, or to hold. */
static int leave_first_mounts(const struct configure* first, struct err* err) {
    char path[64];
    leave_mount(ROOTFS_PATH);
    for (size_t i = 0; i < first->layer_count; i++) {
        snprintf(path, sizeof(path), ROOTFS_LAYERS "/%zu", i);
        leave_mount(path);
    }
    leave_mount(ROOTFS_DISK);
    leave_mount(SHARES_PATH);
    for (size_t i = 0; i < first->mount_count; i++) {
        if (strcmp(first->mounts[i].type, "disk") != 0)
            continue;
        snprintf(path, sizeof(path), DISKS_PATH "/%s", first->mounts[i].source);
        leave_mount(path);
    }
    return mount_at("tmpfs", "layers", "nosuid,nodev,mode=0700", ROOTFS_LAYERS, err);
}

static int enter(const struct container* first, struct err* err) {
    kernel_file_write(AT_FDCWD, "/proc/self/oom_score_adj", "-1000");
    if (unshare(CLONE_NEWNS) < 0)
        return err_system(err, "make a further container's mounts");
    if (leave_first_mounts(&first->configure, err) < 0)
        return -1;
    if (first->init_pidfd < 0) /* a rehearsal */
        return unshare(CLONE_NEWUTS) < 0 ? err_system(err, "make a rehearsal's host name") : 0;
    return setns(first->init_pidfd, CLONE_NEWUTS) < 0
               ? err_system(err, "join the first container's host name")
               : 0;
}

static void close_all_but(int one, int other) {
    int low = one < other ? one : other;
    int high = one < other ? other : one;
    if (low > STDERR_FILENO + 1)
        syscall(SYS_close_range, STDERR_FILENO + 1, low - 1, 0);
    if (high > low + 1)
        syscall(SYS_close_range, low + 1, high - 1, 0);
    syscall(SYS_close_range, high + 1, UINT32_MAX, 0);
}

/* What fails before there is a session is told when it is to be configured. */
static _Noreturn void run(const struct agent* first, const struct joined* joined, int listener) {
    static struct agent agent;
    struct err err = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    agent.container = (struct container){.sysfs = first->container.sysfs,
                                         .group = joined->group,
                                         .cgroup = joined->cgroup,
                                         .init_pidfd = -1,
                                         .mounts = -1,
                                         .first = &first->container.configure};
    enter(&first->container, &agent.container.broken);
    close_all_but(listener, joined->cgroup);
    if (loop_open(&agent.loop, &err) == 0)
        agent_serve(&agent, listener, &err);
    fatal(&err);
}

/* ---- in the first agent */

static struct joined* find(const struct agent* agent, const struct connection* connection) {
    for (struct joined* each = agent->joined; each; each = each->next)
        if (connection && each->connection == connection)
            return each;
    return NULL;
}

static unsigned free_number(const struct agent* agent) {
    unsigned number = 1;
    for (const struct joined* each = agent->joined; each;) {
        bool taken = each->number == number;
        number += taken;
        each = taken ? agent->joined : each->next;
    }
    return number;
}

static int listen_at(const struct agent* agent, uint32_t port, struct err* err) {
    char path[128];
    if (!agent->unix_path)
        return listener_open_vsock(port, err);
    snprintf(path, sizeof(path), "%s.%u", agent->unix_path, port);
    return listener_open_unix(path, err);
}

static int check(const struct agent* agent, unsigned number, const uint32_t* slots, size_t count,
                 struct err* err) {
    /* Before there is a container it is a rehearsal: docs/pool.md. */
    bool possible = agent->container.state == CONTAINER_RUNNING || agent->container.state == CONTAINER_EMPTY;
    if (!possible || agent->shutting_down)
        return err_set(err, HRUN_ERROR_START, ESRCH, "the container is not running");
    if (number > HRUN_MAX_JOINED)
        return err_set(err, HRUN_ERROR_START, E2BIG, "%d containers share the machine already",
                       HRUN_MAX_JOINED);
    for (size_t i = 0; i < count; i++)
        if (slots[i] > HRUN_MAX_SLOT)
            return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "slot %u: the last one is %d", slots[i],
                           HRUN_MAX_SLOT);
    return 0;
}

static int launch(struct agent* agent, struct joined* joined, uint32_t port, struct err* err) {
    owned_fd listener = listen_at(agent, port, err);
    if (listener < 0)
        return -1;
    joined->cgroup = cgroup_make(joined->group, err);
    if (joined->cgroup < 0)
        return -1;
    joined->agent = fork();
    if (joined->agent == 0)
        run(agent, joined, listener);
    if (joined->agent > 0)
        return 0;
    err_system(err, "start the agent of a further container");
    close(joined->cgroup);
    cgroup_remove(joined->group);
    return -1;
}

int joined_start(struct agent* agent, struct connection* connection, const uint32_t* slots, size_t count,
                 uint32_t* port, struct err* err) {
    const unsigned number = free_number(agent);
    if (check(agent, number, slots, count, err) < 0)
        return -1;
    agent_bind_now(agent); /* not between the end of a further container and its disks' */
    struct joined* joined = calloc(1, sizeof(*joined));
    if (!joined)
        return err_system(err, "start a further container");
    *port = HRUN_AGENT_PORT + number;
    joined->number = number;
    snprintf(joined->group, sizeof(joined->group), "joined-%u", number);
    if (launch(agent, joined, *port, err) < 0) {
        err->kind = err->kind ? err->kind : HRUN_ERROR_START;
        free(joined);
        return -1;
    }
    joined->connection = connection;
    memcpy(joined->slots, slots, count * sizeof(slots[0]));
    joined->slot_count = count;
    joined->next = agent->joined;
    agent->joined = joined;
    return 0;
}

static void end(struct joined* joined) {
    joined->parting = true;
    if (joined->agent)
        kill(joined->agent, SIGKILL);
}

int joined_part(struct agent* agent, struct connection* connection) {
    struct joined* joined = find(agent, connection);
    if (!joined)
        return -1;
    end(joined);
    return 0;
}

bool joined_owns(const struct agent* agent, const struct connection* connection) {
    return find(agent, connection) != NULL;
}

void joined_lost(struct agent* agent, const struct connection* connection) {
    struct joined* joined = find(agent, connection);
    if (!joined)
        return;
    joined->connection = NULL;
    end(joined);
}

void joined_exited(struct agent* agent, pid_t pid) {
    for (struct joined* each = agent->joined; each; each = each->next)
        if (each->agent == pid)
            each->agent = 0;
}

void joined_end_all(struct agent* agent) {
    for (struct joined* each = agent->joined; each; each = each->next)
        end(each);
}

uint64_t joined_deadline(const struct agent* agent) {
    for (const struct joined* each = agent->joined; each; each = each->next)
        if (each->parting)
            return loop_now() + LOOK_AGAIN_MS;
    return 0;
}

/* Its mounts went with its last process, which has written them out. */
static void clear_up(struct agent* agent, struct joined* joined) {
    struct err ignored;
    close(joined->cgroup);
    cgroup_remove(joined->group);
    for (size_t i = 0; i < joined->slot_count; i++)
        device_release(agent->container.sysfs, joined->slots[i], &ignored);
    if (joined->connection) {
        connection_send(joined->connection, HRUN_PARTED, 0, NULL, 0);
        connection_finish(joined->connection);
    }
    free(joined);
}

/* The group is killed only when its agent is dead: nobody starts a process in it any more. */
void joined_tend(struct agent* agent) {
    for (struct joined** link = &agent->joined; *link;) {
        struct joined* joined = *link;
        if (joined->parting && joined->agent == 0)
            cgroup_kill(joined->cgroup);
        if (joined->parting && joined->agent == 0 && cgroup_is_empty(joined->cgroup)) {
            *link = joined->next;
            clear_up(agent, joined);
        } else {
            link = &joined->next;
        }
    }
}
