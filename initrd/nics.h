/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's network interfaces: from virtio-net devices to named interfaces with addresses and routes.
 */
#ifndef HRUN_NICS_H
#define HRUN_NICS_H

#include "err.h"
#include "nic_request.h"

/* Sets every requested interface up. `sysfs` is where sysfs is. */
int nics_up(const char* sysfs, const struct nic_requests* requests, struct err* err);

#endif
