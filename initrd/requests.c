/* SPDX-License-Identifier: Apache-2.0 */
#include "requests.h"

#include <errno.h>
#include <string.h>

#include "cgroup.h"
#include "cpus.h"
#include "files.h"
#include "nics.h"
#include "protocol.h"
#include "shutdown.h"
#include "usage.h"

static int configure(struct agent* agent, struct connection* connection, const struct frame* frame,
                     struct err* err) {
    if (container_configure(&agent->container, frame->payload, frame->length, err) < 0)
        return -1;
    const struct container* container = &agent->container;
    if (nics_up(container->sysfs, &container->configure.nics, &container->nic, err) < 0) {
        err->kind = HRUN_ERROR_CONFIG;
        return -1;
    }
    connection_send(connection, HRUN_CONFIGURED, 0, NULL, 0);
    return 0;
}

static int start(struct agent* agent, struct connection* connection, const struct frame* frame,
                 struct err* err) {
    if (connection->used)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "a second START on one connection");
    if (agent->shutting_down)
        return err_set(err, HRUN_ERROR_START, ESHUTDOWN, "the container is being shut down");
    if (agent->suspend.step != SUSPEND_NONE)
        return err_set(err, HRUN_ERROR_START, EBUSY,
                       "a checkpoint of the container is being made; try again");
    struct session* session =
        session_start(&agent->loop, &agent->container, connection, frame->payload, frame->length, err);
    if (!session)
        return -1;
    connection->used = true;
    connection->session = session;
    session->next = agent->sessions;
    agent->sessions = session;
    return 0;
}

/* The agent of a further container cannot do what is the machine's. */
static int check_first(const struct agent* agent, const struct frame* frame, struct err* err) {
    if (!agent->container.first)
        return 0;
    return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "frame type %u to the agent of a further container",
                   frame->type);
}

static int freeze(struct agent* agent, struct connection* connection, bool frozen, struct err* err) {
    if (cgroup_freeze(agent->container.cgroup, frozen, err) < 0)
        return -1;
    connection_send(connection, frozen ? HRUN_PAUSED : HRUN_RESUMED, 0, NULL, 0);
    return 0;
}

static int tell_usage(const struct agent* agent, struct connection* connection) {
    const struct hrun_used used = usage_now(agent->container.cgroup);
    connection_send(connection, HRUN_USED, 0, &used, sizeof(used));
    return 0;
}

static int limit(const struct agent* agent, struct connection* connection, const struct frame* frame,
                 struct err* err) {
    struct hrun_limits limits;
    memcpy(&limits, frame->payload, sizeof(limits));
    if (limits.cpus && check_first(agent, frame, err) < 0)
        return -1;
    const int cgroup = agent->container.cgroup;
    if ((limits.memory_bytes && cgroup_set_memory_max(cgroup, limits.memory_bytes, err) < 0) ||
        (limits.pids && cgroup_set_pids_max(cgroup, limits.pids, err) < 0) ||
        (limits.cpus && cpus_set_online(agent->container.sysfs, limits.cpus, err) < 0))
        return -1;
    connection_send(connection, HRUN_LIMITED, 0, NULL, 0);
    return 0;
}

static int change_networks(struct container* container, const struct frame* frame,
                           struct network_request* request, struct err* err) {
    if (container->state == CONTAINER_EMPTY)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "NETWORK before CONFIGURE");
    if (network_request_parse(frame->payload, frame->length, request, err) == 0 &&
        nics_change(container->sysfs, request, err) == 0) {
        nic_requests_change(&container->configure.nics, request->gone, request->gone_count, &request->nics);
        if (files_renew(&container->configure, &request->files, err) == 0)
            return 0;
    }
    err->kind = err->kind ? err->kind : HRUN_ERROR_CONFIG;
    return -1;
}

static int network(struct agent* agent, struct connection* connection, const struct frame* frame,
                   struct err* err) {
    struct network_request request = {0};
    if (check_first(agent, frame, err) < 0)
        return -1;
    int done = change_networks(&agent->container, frame, &request, err);
    network_request_free(&request);
    if (done == 0)
        connection_send(connection, HRUN_NETWORKED, 0, NULL, 0);
    return done;
}

static int join(struct agent* agent, struct connection* connection, const struct frame* frame,
                struct err* err) {
    uint32_t slots[HRUN_MAX_SLOT + 1], port;
    const size_t count = frame->length / sizeof(slots[0]);
    if (check_first(agent, frame, err) < 0)
        return -1;
    if (connection->used || frame->length % sizeof(slots[0]) != 0)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "JOIN out of turn");
    memcpy(slots, frame->payload, frame->length);
    if (joined_start(agent, connection, slots, count, &port, err) < 0)
        return -1;
    connection->used = true;
    connection_send(connection, HRUN_JOINED, 0, &port, sizeof(port));
    return 0;
}

static int part(struct agent* agent, struct connection* connection, struct err* err) {
    if (joined_part(agent, connection) == 0)
        return 0;
    return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "PART of what has not joined");
}

/* The host gave the connection up with an error of its own: there is nothing to answer. */
static int abandon(struct connection* connection) {
    connection_finish(connection);
    return 0;
}

/* What belongs to a session. Frames that crossed its EXIT on the way are dropped. */
static int pass_on(struct connection* connection, const struct frame* frame, struct err* err) {
    struct session* session = connection->session;
    if (session && session->state != SESSION_CLOSED)
        return session_frame(session, frame, err);
    if (connection->used)
        return 0;
    return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "frame type %u before START", frame->type);
}

int request_handle(struct agent* agent, struct connection* connection, const struct frame* frame,
                   struct err* err) {
    switch (frame->type) {
    case HRUN_CONFIGURE:
        return configure(agent, connection, frame, err);
    case HRUN_START:
        return start(agent, connection, frame, err);
    case HRUN_SHUTDOWN:
        return shutdown_begin(agent, connection, err);
    case HRUN_PAUSE:
    case HRUN_RESUME:
        return freeze(agent, connection, frame->type == HRUN_PAUSE, err);
    case HRUN_USAGE:
        return tell_usage(agent, connection);
    case HRUN_LIMIT:
        return limit(agent, connection, frame, err);
    case HRUN_NETWORK:
        return network(agent, connection, frame, err);
    case HRUN_JOIN:
        return join(agent, connection, frame, err);
    case HRUN_SUSPEND:
        return suspend_begin(agent, connection, frame, err);
    case HRUN_WAKE:
        return suspend_end(agent, connection, frame, err);
    case HRUN_PART:
        return part(agent, connection, err);
    case HRUN_ERROR:
        return abandon(connection);
    default:
        return pass_on(connection, frame, err);
    }
}
