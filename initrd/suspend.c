/* SPDX-License-Identifier: Apache-2.0 */
#include "suspend.h"

#include <errno.h>
#include <string.h>

#include "agent.h"
#include "cgroup.h"
#include "clock.h"
#include "devices.h"
#include "protocol.h"

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

int suspend_begin(struct agent* agent, struct connection* connection, const struct frame* frame,
                  struct err* err) {
    struct err failed = {0};
    struct session* session = connection->session;
    uint32_t slot;
    memcpy(&slot, frame->payload, sizeof(slot));
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

int suspend_end(struct agent* agent, struct connection* connection, const struct frame* frame,
                struct err* err) {
    struct hrun_wake wake;
    struct session* session = init_session(agent);
    memcpy(&wake, frame->payload, sizeof(wake));
    if (agent->suspend.step == SUSPEND_NONE || !session ||
        (connection->used && connection != session->connection) || wake.credit[0] > HRUN_INITIAL_CREDIT ||
        wake.credit[1] > HRUN_INITIAL_CREDIT)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "WAKE out of turn");
    if (clock_set(wake.time_ns, err) < 0 || entropy_add(wake.entropy, sizeof(wake.entropy), err) < 0)
        return -1;
    struct hrun_awake awake = {.pid = (uint32_t)session->container_pid};
    connection->used = true;
    awake.input = session_adopt(session, connection, wake.credit);
    connection_send(connection, HRUN_AWAKE, 0, &awake, sizeof(awake));
    agent->suspend.step = SUSPEND_NONE;
    if (cgroup_freeze(agent->container.cgroup, false, err) < 0)
        return -1;
    session_hold(session, false);
    return 0;
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
    if (suspend->step == SUSPEND_UNBOUND && device_bind(sysfs, suspend->slot, &ignored) == 0)
        suspend->step = SUSPEND_REBOUND;
}
