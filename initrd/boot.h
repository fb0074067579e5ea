/* SPDX-License-Identifier: Apache-2.0
 *
 * What the agent needs around itself before it can serve.
 */
#ifndef HRUN_BOOT_H
#define HRUN_BOOT_H

#include "err.h"

/* Makes the process what PID 1 has to be: descriptors 0 to 2 in use, umask 0, no SIGPIPE, and closed to
 * ptrace and /proc/<pid>/fd for the container's processes that its children live among for a moment. */
int boot_process(struct err* err);

/* Mounts /proc, /sys and /dev. */
int boot_mounts(struct err* err);

/* What the kernel does otherwise by default, for the whole machine: only where the machine is the container's own. */
int boot_parameters(struct err* err);

#endif
