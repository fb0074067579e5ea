/* SPDX-License-Identifier: Apache-2.0
 *
 * The NETWORK request as data: network interfaces that come and go while the container runs.
 */
#ifndef HRUN_NETWORK_REQUEST_H
#define HRUN_NETWORK_REQUEST_H

#include "err.h"
#include "file_request.h"
#include "nic_request.h"

struct network_request {
    struct nic_requests nics; /* that come */
    uint32_t gone[NIC_MAX];   /* slots */
    size_t gone_count;
    struct file_requests files; /* with other contents */
};

/* Parses the payload of NETWORK. `request` must be zeroed, and is to be freed whatever the result. */
int network_request_parse(const uint8_t* payload, size_t length, struct network_request* request,
                          struct err* err);

void network_request_free(struct network_request* request);

#endif
