/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "listener.h"
#include "protocol.h"
#include "requests.h"
#include "shutdown.h"
#include "template.h"

/* Out of the way of the container's start. */
#define BIND_AFTER_MS 1000

static int on_frame(struct connection* connection, const struct frame* frame, struct err* err) {
    return request_handle(connection->owner, connection, frame, err);
}

static void on_room(struct connection* connection) {
    if (connection->session)
        session_room(connection->session);
}

static void on_lost(struct connection* connection) {
    struct session* session = connection->session;
    connection->session = NULL;
    if (session && session->held)
        session_lose(session);
    else if (session)
        session_detach(session);
    joined_lost(connection->owner, connection);
}

static void on_closed(struct connection* connection) {
    struct agent* agent = connection->owner;
    struct connection** link = &agent->connections;
    while (*link != connection)
        link = &(*link)->next;
    *link = connection->next;
    agent->connection_count--;
    if (agent->shutdown_asked_by == connection)
        agent->shutdown_asked_by = NULL;
    free(connection);
}

static const struct connection_events events = {on_frame, on_room, on_lost, on_closed};

/* The oldest connection that serves nothing gives way to a new one. */
static bool make_room(struct agent* agent) {
    struct connection* idle = NULL;
    for (struct connection* each = agent->connections; each; each = each->next)
        if (!each->session && each != agent->shutdown_asked_by && !joined_owns(agent, each))
            idle = each;
    if (idle)
        connection_close(idle);
    return idle != NULL;
}

static void add_connection(struct agent* agent, int fd) {
    struct err err;
    struct connection* connection = calloc(1, sizeof(*connection));
    if (!connection) {
        close(fd);
        return;
    }
    connection->events = &events;
    connection->owner = agent;
    if (connection_open(connection, &agent->loop, fd, &err) < 0) {
        close(fd);
        free(connection);
        return;
    }
    connection->next = agent->connections;
    agent->connections = connection;
    agent->connection_count++;
}

static void on_connect(struct source* source, uint32_t ready_events) {
    struct agent* agent = owner_of(source, struct agent, listener);
    (void)ready_events;
    int fd = listener_accept(source->fd);
    if (fd < 0)
        return;
    if (agent->connection_count >= AGENT_MAX_CONNECTIONS && !make_room(agent)) {
        close(fd);
        return;
    }
    add_connection(agent, fd);
}

static void on_exit_of(struct reaper* reaper, pid_t pid, int status) {
    struct agent* agent = owner_of(reaper, struct agent, reaper);
    for (struct session* session = agent->sessions; session; session = session->next) {
        if (session->pid != pid)
            continue;
        session_exited(session, status);
        return;
    }
    joined_exited(agent, pid);
}

/* Frees what is over and lets pass what is late. */
static void tend_sessions(struct agent* agent) {
    uint64_t now = loop_now();
    for (struct session** link = &agent->sessions; *link;) {
        struct session* session = *link;
        if (session->deadline && session->deadline <= now)
            session_deadline(session);
        if (session_is_over(session)) {
            *link = session->next;
            session_free(session);
        } else {
            link = &session->next;
        }
    }
}

static uint64_t sooner(uint64_t one, uint64_t other) {
    return !one || (other && other < one) ? other : one;
}

/* Milliseconds until something is late; -1 for never. */
static int time_left(const struct agent* agent) {
    uint64_t now = loop_now();
    uint64_t next = sooner(agent->shutting_down ? agent->shutdown_deadline : 0, agent->bind_at);
    next = sooner(next, joined_deadline(agent));
    next = sooner(next, suspend_deadline(agent));
    for (struct session* session = agent->sessions; session; session = session->next)
        next = sooner(next, session->deadline);
    if (!next)
        return -1;
    return next > now ? (int)(next - now) : 0;
}

void agent_bind_later(struct agent* agent) {
    agent->bind_at = loop_now() + BIND_AFTER_MS;
}

void agent_bind_now(struct agent* agent) {
    if (!agent->bind_at)
        return;
    agent->bind_at = 0;
    template_bind_rest(agent->container.sysfs);
}

int agent_serve(struct agent* agent, int listener, struct err* err) {
    agent->listener = (struct source){.fd = listener, .ready = on_connect};
    agent->reaper.exited = on_exit_of;
    if (loop_watch(&agent->loop, &agent->listener, EPOLLIN) < 0)
        return err_system(err, "watch the agent's socket");
    if (reaper_open(&agent->reaper, &agent->loop, err) < 0)
        return -1;
    while (!shutdown_is_due(agent)) {
        if (loop_turn(&agent->loop, time_left(agent), err) < 0)
            return -1;
        tend_sessions(agent);
        joined_tend(agent);
        suspend_tend(agent);
        if (agent->bind_at <= loop_now())
            agent_bind_now(agent);
    }
    return shutdown_finish(agent, err);
}
