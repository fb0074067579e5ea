/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's network interfaces: from virtio-net devices to named interfaces with addresses and routes.
 */
#ifndef HRUN_NICS_H
#define HRUN_NICS_H

#include <net/if.h>
#include <stdint.h>

#include "err.h"
#include "network_request.h"
#include "nic_request.h"

/* An interface as the kernel has made it. */
struct made_nic {
    int index;
    char name[IFNAMSIZ];
};

/* One that a template has brought up for its copies; all zero: there is none. */
struct ready_nic {
    uint32_t slot;
    struct made_nic made;
};

/* In a template: brings up the interface of a slot, without addresses and without IPv6. What a copy still has to do is what tells it from
 * another. */
int nics_prepare(const char* sysfs, uint32_t slot, struct ready_nic* ready, struct err* err);

/* In a copy that is to be saved as a process (docs/frozen.md): does with such an interface what CONFIGURE will do, and takes the address away
 * again. The MAC address stays. */
int nics_rehearse(const char* sysfs, const struct ready_nic* ready, struct err* err);

/* Sets every requested interface up. `sysfs` is where sysfs is. */
int nics_up(const char* sysfs, const struct nic_requests* requests, const struct ready_nic* ready,
            struct err* err);

/* Takes interfaces away, then sets up those that are new. */
int nics_change(const char* sysfs, const struct network_request* request, struct err* err);

#endif
