/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine that is booted once and copied for each container (docs/templates.md).
 */
#ifndef HRUN_TEMPLATE_H
#define HRUN_TEMPLATE_H

#include <stdint.h>

#include "err.h"

/* What a template says on its console, as a line; the monitor waits for it. */
#define TEMPLATE_READY "hrun-agent: template ready"
/* Slots of a machine: all are there in a template, and empty. */
#define TEMPLATE_SLOTS 23

/* Says on the console that the machine is ready to be copied, and returns in a copy: once the machine has a vsock device in
 * `vsock_slot`, bound by then. */
int template_wait(const char* sysfs, uint32_t vsock_slot, struct err* err);

/* Has the drivers take what the copy has been given besides, and nobody has asked for: the random number generator, the balloon. */
void template_bind_rest(const char* sysfs);

#endif
