/* SPDX-License-Identifier: Apache-2.0
 *
 * WAKE as data: what a container that was saved is told before it goes on.
 */
#ifndef HRUN_WAKE_REQUEST_H
#define HRUN_WAKE_REQUEST_H

#include "err.h"
#include "file_request.h"
#include "nic_request.h"
#include "protocol.h"

struct wake_request {
    struct hrun_wake head;
    char* hostname; /* or NULL: as it was */
    struct file_requests files;
    struct nic_requests nics; /* none: as they were */
};

/* Parses the payload of WAKE, which is as long as its head at least. `request` must be zeroed, and is to be freed whatever the result. */
int wake_request_parse(const uint8_t* payload, size_t length, struct wake_request* request, struct err* err);

void wake_request_free(struct wake_request* request);

#endif
