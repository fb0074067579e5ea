/* SPDX-License-Identifier: Apache-2.0 */
#include "network_request.h"

#include <errno.h>

#include "protocol.h"

static int parse_gone(const struct tlv* tlv, struct network_request* request, struct err* err) {
    if (request->gone_count == NIC_MAX)
        return err_set(err, HRUN_ERROR_CONFIG, E2BIG, "more than %d network interfaces", NIC_MAX);
    if (tlv_u32(tlv, &request->gone[request->gone_count], err) < 0)
        return -1;
    request->gone_count++;
    return 0;
}

static int parse_one(const struct tlv* tlv, struct network_request* request, struct err* err) {
    switch (tlv->tag) {
    case HRUN_CONF_NIC:
    case HRUN_CONF_ADDRESS:
    case HRUN_CONF_GATEWAY:
    case HRUN_CONF_ROUTE:
        return nic_requests_parse(tlv, &request->nics, err);
    case HRUN_CONF_NIC_GONE:
        return parse_gone(tlv, request, err);
    case HRUN_CONF_FILE:
        return file_requests_parse(tlv, &request->files, err);
    default:
        return tlv_unknown(tlv, err);
    }
}

int network_request_parse(const uint8_t* payload, size_t length, struct network_request* request,
                          struct err* err) {
    struct tlv_reader reader = {.at = payload, .left = length};
    struct tlv tlv;
    int more;
    while ((more = tlv_next(&reader, &tlv, err)) > 0)
        if (parse_one(&tlv, request, err) < 0)
            return -1;
    return more < 0 ? -1 : nic_requests_check(&request->nics, err);
}

void network_request_free(struct network_request* request) {
    file_requests_free(&request->files);
}
