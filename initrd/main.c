/* SPDX-License-Identifier: Apache-2.0
 *
 * hrun-agent, PID 1 of the guest: the order of its boot.
 */
#include <unistd.h>

#include "agent.h"
#include "boot.h"
#include "cgroup.h"
#include "fatal.h"
#include "listener.h"
#include "nics.h"
#include "options.h"
#include "protocol.h"
#include "template.h"

static int run(const struct options* options, struct err* err) {
    struct agent agent = {
        .container = {.sysfs = options->sysfs, .group = CONTAINER_GROUP, .init_pidfd = -1, .mounts = -1},
        .unix_path = options->unix_path};
    if (getpid() != 1)
        return err_set(err, 0, 0, "runs only as the first process of a machine");
    if (boot_process(err) < 0 || loop_open(&agent.loop, err) < 0)
        return -1;
    /* Before anything else: the host may connect from here on, and waits. */
    int listener = options->unix_path ? listener_open_unix(options->unix_path, err)
                                      : listener_open_vsock(HRUN_AGENT_PORT, err);
    if (listener < 0 || boot_mounts(err) < 0 || (!options->unix_path && boot_parameters(err) < 0))
        return -1;
    agent.container.cgroup = cgroup_mount(err) < 0 ? -1 : cgroup_make(CONTAINER_GROUP, err);
    if (agent.container.cgroup < 0)
        return -1;
    if (options->template_slot >= 0) {
        if (container_prepare(&agent.container, err) < 0)
            return -1;
        if (options->nic_slot >= 0 &&
            nics_prepare(options->sysfs, (uint32_t)options->nic_slot, &agent.container.nic, err) < 0)
            return -1;
        if (template_wait(options->sysfs, (uint32_t)options->template_slot, err) < 0)
            return -1;
        agent_bind_later(&agent);
    }
    return agent_serve(&agent, listener, err);
}

int main(int argc, char** argv) {
    struct err err = {0};
    struct options options = options_parse(argc, argv);
    fatal_catch_crashes();
    run(&options, &err);
    fatal(&err);
}
