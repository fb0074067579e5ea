/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's network interfaces: from virtio-net devices to named interfaces with addresses and routes.
 */
#ifndef HRUN_NICS_H
#define HRUN_NICS_H

#include "err.h"
#include "network_request.h"
#include "nic_request.h"

/* Sets every requested interface up. `sysfs` is where sysfs is. */
int nics_up(const char* sysfs, const struct nic_requests* requests, struct err* err);

/* Takes interfaces away, then sets up those that are new. */
int nics_change(const char* sysfs, const struct network_request* request, struct err* err);

#endif
