/* SPDX-License-Identifier: Apache-2.0 */
#include "wake_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tlv.h"

static int parse_one(struct tlv_reader* reader, const struct tlv* tlv, struct wake_request* request,
                     struct err* err) {
    switch (tlv->tag) {
    case HRUN_CONF_HOSTNAME:
        return tlv_once(reader, tlv, err) < 0 ? -1 : tlv_string(tlv, &request->hostname, err);
    case HRUN_CONF_FILE:
        return file_requests_parse(tlv, &request->files, err);
    case HRUN_CONF_NIC:
    case HRUN_CONF_ADDRESS:
    case HRUN_CONF_GATEWAY:
    case HRUN_CONF_ROUTE:
        return nic_requests_parse(tlv, &request->nics, err);
    default:
        return tlv_unknown(tlv, err);
    }
}

int wake_request_parse(const uint8_t* payload, size_t length, struct wake_request* request, struct err* err) {
    struct tlv_reader reader = {.at = payload + sizeof(request->head),
                                .left = length - sizeof(request->head)};
    struct tlv tlv;
    int more;
    memcpy(&request->head, payload, sizeof(request->head));
    if (request->head.credit[0] > HRUN_INITIAL_CREDIT || request->head.credit[1] > HRUN_INITIAL_CREDIT)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "WAKE with more credit than there is");
    while ((more = tlv_next(&reader, &tlv, err)) > 0)
        if (parse_one(&reader, &tlv, request, err) < 0)
            return -1;
    return more < 0 ? -1 : nic_requests_check(&request->nics, err);
}

void wake_request_free(struct wake_request* request) {
    free(request->hostname);
    file_requests_free(&request->files);
}
