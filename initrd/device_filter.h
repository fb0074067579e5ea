/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HRUN_DEVICE_FILTER_H
#define HRUN_DEVICE_FILTER_H

#include "err.h"

/* Lets the processes of a control group open only the devices that an OCI runtime gives every container (runtime-spec,
 * config-linux.md, "Default Devices"), whatever nodes they make: the disks of the VM are out of their reach. */
int device_filter_attach(int cgroup, struct err* err);

/* Takes it off again. */
int device_filter_detach(int cgroup, struct err* err);

#endif
