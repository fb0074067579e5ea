/* SPDX-License-Identifier: Apache-2.0 */
#include "shutdown.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "protocol.h"
#include "rootfs.h"
#include "shares.h"

#define OUTPUT_WAIT_MS 1000 /* for output that nobody takes */
#define DONE_WAIT_MS 2000   /* for the host to take SHUTDOWN_DONE and close */

int shutdown_begin(struct agent* agent, struct connection* connection, struct err* err) {
    if (agent->shutting_down)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "SHUTDOWN came twice");
    agent->shutting_down = true;
    agent->shutdown_asked_by = connection;
    agent->shutdown_deadline = loop_now() + OUTPUT_WAIT_MS;
    /* The kernel kills every process of the pid namespace with its first, and the execs are in it. */
    for (struct session* session = agent->sessions; session; session = session->next)
        if (session->pid)
            kill(session->pid, SIGKILL);
    joined_end_all(agent);
    suspend_forget(agent);
    return 0;
}

bool shutdown_is_due(const struct agent* agent) {
    bool unsent = false;
    if (!agent->shutting_down || agent->joined)
        return false;
    for (struct session* session = agent->sessions; session; session = session->next) {
        if (session->pid)
            return false;
        unsent = true;
    }
    return !unsent || loop_now() >= agent->shutdown_deadline;
}

/* Outside the loop, for this is the last thing the agent does. */
static void send_done(struct connection* connection) {
    uint64_t deadline = loop_now() + DONE_WAIT_MS;
    connection_send(connection, HRUN_SHUTDOWN_DONE, 0, NULL, 0);
    connection_finish(connection);
    for (uint64_t now = loop_now(); now < deadline; now = loop_now()) {
        short events = POLLIN | (frame_queue_empty(&connection->out) ? 0 : POLLOUT);
        struct pollfd wait = {.fd = connection->source.fd, .events = events};
        if (poll(&wait, 1, (int)(deadline - now)) <= 0)
            return;
        connection_flush(connection);
        uint8_t dropped[512];
        if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) && read(wait.fd, dropped, sizeof(dropped)) == 0)
            return;
    }
}

int shutdown_finish(struct agent* agent, struct err* err) {
    if (agent->container.init_pidfd >= 0)
        close(agent->container.init_pidfd);
    container_release_mounts(&agent->container);
    if (rootfs_unmount(err) < 0 || shares_unmount(&agent->container.configure, err) < 0)
        return -1;
    if (agent->shutdown_asked_by)
        send_done(agent->shutdown_asked_by);
    if (agent->container.first)
        _exit(0); /* the machine goes on */
    reboot(RB_AUTOBOOT);
    return err_system(err, "stop the machine");
}
