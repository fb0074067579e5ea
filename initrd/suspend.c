/* SPDX-License-Identifier: Apache-2.0 */
#include "suspend.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "cgroup.h"
#include "cleanup.h"
#include "clock.h"
#include "devices.h"
#include "files.h"
#include "nics.h"
#include "protocol.h"
#include "wake_request.h"

#define LOOK_AGAIN_MS 1

static struct session* init_session(const struct agent* agent) {
    struct session* session = agent->sessions;
    while (session && !session->init)
        session = session->next;
    return session;
}

/* Why it cannot be now; NULL when it can. */
static const char* obstacle(const struct agent* agent) {
    if (agent->shutting_down || agent->container.state != CONTAINER_RUNNING)
        return "the container is not running";
    if (agent->suspend.step != SUSPEND_NONE)
        return "another checkpoint is being made";
    if (agent->joined)
        return "another container shares its machine";
    if (cgroup_is_frozen(agent->container.cgroup))
        return "it stands still: it is paused, or its files are being copied";
    for (const struct session* session = agent->sessions; session; session = session->next)
        if (!session->init && session->connection && session->state != SESSION_CLOSED)
            return "an exec, or a copy of its files, is going on in it";
    return NULL;
}

static void tell(struct connection* connection, const char* obstacle) {
    connection_send(connection, HRUN_SUSPENDED, 0, obstacle, obstacle ? strlen(obstacle) : 0);
}

/* A machine that has no container yet: nothing runs in it, and it goes on without being woken. */
static bool is_waiting(const struct agent* agent) {
    return agent->container.state == CONTAINER_EMPTY && !agent->sessions && !agent->joined &&
           agent->suspend.step == SUSPEND_NONE;
}

int suspend_begin(struct agent* agent, struct connection* connection, const struct frame* frame,
                  struct err* err) {
    struct err failed = {0};
    struct session* session = connection->session;
    uint32_t slot;
    memcpy(&slot, frame->payload, sizeof(slot));
    if (slot <= HRUN_MAX_SLOT && is_waiting(agent)) {
        bool rehearsed = nics_rehearse(agent->container.sysfs, &agent->container.nic, &failed) == 0;
        tell(connection, rehearsed ? NULL : failed.text);
        if (rehearsed)
            agent->suspend = (struct suspend){.step = SUSPEND_HELD, .slot = slot};
        return 0;
    }
    if (!session || !session->init || slot > HRUN_MAX_SLOT)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "SUSPEND out of turn");
    const char* why = obstacle(agent);
    if (!why && cgroup_freeze(agent->container.cgroup, true, &failed) < 0)
        why = failed.text;
    if (why) {
        tell(connection, why);
        return 0;
    }
    agent_bind_now(agent);
    tell(connection, NULL);
    session_hold(session, true);
    agent->suspend.step = SUSPEND_HELD;
    agent->suspend.slot = slot;
    return 0;
}

/* For the container alone: the agent has a name of its own. */
static int rename_host(const struct container* container, const char* name, struct err* err) {
    owned_fd own = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    if (own < 0 || setns(container->init_pidfd, CLONE_NEWUTS) < 0)
        return err_system(err, "enter the container's host name");
    int named = sethostname(name, strlen(name)) < 0 ? err_system(err, "set the host name %s", name) : 0;
    return setns(own, CLONE_NEWUTS) < 0 ? err_system(err, "leave the container's host name") : named;
}

/* The devices are those that were saved, with the addresses of then. */
static int take_networks(struct container* container, const struct nic_requests* nics, struct err* err) {
    struct network_request request = {.nics = *nics, .gone_count = nics->count};
    for (size_t i = 0; i < nics->count; i++)
        request.gone[i] = nics->nics[i].slot;
    if (nics_change(container->sysfs, &request, err) < 0)
        return -1;
    container->configure.nics = *nics;
    return 0;
}

static int take_hostname(struct container* container, struct wake_request* wake, struct err* err) {
    char* before = container->configure.hostname;
    if (rename_host(container, wake->hostname, err) < 0)
        return -1;
    container->configure.hostname = wake->hostname;
    wake->hostname = before;
    return 0;
}

/* A container of another name, or of other addresses, than the one that was saved is a copy of it. */
static int take_identity(struct container* container, struct wake_request* wake, struct err* err) {
    const struct configure* before = &container->configure;
    const bool renamed =
        wake->hostname && !(before->hostname && strcmp(before->hostname, wake->hostname) == 0);
    const bool moved = wake->nics.count > 0 && !nic_requests_equal(&before->nics, &wake->nics);
    if (renamed && take_hostname(container, wake, err) < 0)
        return -1;
    if (moved && take_networks(container, &wake->nics, err) < 0)
        return -1;
    return renamed || moved ? files_renew(&container->configure, &wake->files, err) : 0;
}

static int wake_up(struct agent* agent, struct connection* connection, struct wake_request* wake,
                   struct err* err) {
    struct session* session = init_session(agent);
    if (agent->suspend.step == SUSPEND_NONE || !session ||
        (connection->used && connection != session->connection))
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "WAKE out of turn");
    if (clock_set(wake->head.time_ns, err) < 0 ||
        entropy_add(wake->head.entropy, sizeof(wake->head.entropy), err) < 0 ||
        take_identity(&agent->container, wake, err) < 0)
        return -1;
    struct hrun_awake awake = {.pid = (uint32_t)session->container_pid};
    connection->used = true;
    awake.input = session_adopt(session, connection, wake->head.credit);
    connection_send(connection, HRUN_AWAKE, 0, &awake, sizeof(awake));
    agent->suspend.step = SUSPEND_NONE;
    if (cgroup_freeze(agent->container.cgroup, false, err) < 0)
        return -1;
    session_hold(session, false);
    return 0;
}

int suspend_end(struct agent* agent, struct connection* connection, const struct frame* frame,
                struct err* err) {
    struct wake_request wake = {0};
    int done = wake_request_parse(frame->payload, frame->length, &wake, err);
    if (done == 0)
        done = wake_up(agent, connection, &wake, err);
    wake_request_free(&wake);
    return done;
}

void suspend_forget(struct agent* agent) {
    struct session* session = init_session(agent);
    if (agent->suspend.step != SUSPEND_NONE && session)
        session_hold(session, false);
    agent->suspend.step = SUSPEND_NONE;
}

uint64_t suspend_deadline(const struct agent* agent) {
    const bool looks = agent->suspend.step == SUSPEND_HELD || agent->suspend.step == SUSPEND_UNBOUND;
    return looks ? loop_now() + LOOK_AGAIN_MS : 0;
}

/* A device that the driver has not set up is another than the one that it knows, or none. */
void suspend_tend(struct agent* agent) {
    const char* sysfs = agent->container.sysfs;
    struct suspend* suspend = &agent->suspend;
    struct err ignored; /* there is nothing to do but to try again */
    if (suspend->step == SUSPEND_HELD && device_status(sysfs, suspend->slot) == 0) {
        device_release(sysfs, suspend->slot, &ignored);
        suspend->step = SUSPEND_UNBOUND;
    }
    if (suspend->step != SUSPEND_UNBOUND || device_bind(sysfs, suspend->slot, &ignored) < 0)
        return;
    suspend->step = SUSPEND_REBOUND;
    if (agent->container.state != CONTAINER_EMPTY)
        return;
    suspend->step = SUSPEND_NONE;
    agent_bind_later(agent); /* what has come into the machine meanwhile */
}
