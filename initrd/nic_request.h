/* SPDX-License-Identifier: Apache-2.0
 *
 * The network interfaces of a CONFIGURE request as data.
 */
#ifndef HRUN_NIC_REQUEST_H
#define HRUN_NIC_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "protocol.h"
#include "tlv.h"

#define NIC_MAX 16
#define NIC_MAX_ADDRESSES 64 /* addresses and gateways of all NICs */
#define NIC_MAX_ROUTES 64

struct nic_address {
    struct hrun_nic_address given;
    bool gateway;
};

struct nic_requests {
    struct hrun_nic nics[NIC_MAX];
    size_t count;
    struct nic_address addresses[NIC_MAX_ADDRESSES]; /* in the order given */
    size_t address_count;
    struct hrun_nic_route routes[NIC_MAX_ROUTES];
    size_t route_count;
};

/* Takes an HRUN_CONF_NIC, HRUN_CONF_ADDRESS, HRUN_CONF_GATEWAY or HRUN_CONF_ROUTE. */
int nic_requests_parse(const struct tlv* tlv, struct nic_requests* requests, struct err* err);

/* Once all are there: no slot or name twice, and no address or route of a NIC that is not there. */
int nic_requests_check(const struct nic_requests* requests, struct err* err);

/* What `held` is once interfaces have gone and others have come; more than it has room for is left as it was. */
void nic_requests_change(struct nic_requests* held, const uint32_t* gone, size_t gone_count,
                         const struct nic_requests* added);

/* In the same order, too. */
bool nic_requests_equal(const struct nic_requests* one, const struct nic_requests* other);

#endif
