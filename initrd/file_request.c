/* SPDX-License-Identifier: Apache-2.0 */
#include "file_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse_fields(const struct tlv* tlv, const uint8_t* separator, struct file_request* request,
                        struct err* err) {
    size_t target_length = (size_t)(separator - tlv->value);
    request->length = tlv->length - target_length - 1;
    request->target = strndup((const char*)tlv->value, target_length);
    request->content = malloc(request->length + 1);
    if (!request->target || !request->content) {
        free(request->target);
        free(request->content);
        return err_system(err, "keep a generated file");
    }
    memcpy(request->content, separator + 1, request->length);
    return 0;
}

/* "target NUL content": only the first NUL separates, the content may hold any byte. */
int file_requests_parse(const struct tlv* tlv, struct file_requests* requests, struct err* err) {
    const uint8_t* separator = tlv->length > 0 ? memchr(tlv->value, '\0', tlv->length) : NULL;
    if (!separator)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "tag %u: no NUL after the target", tlv->tag);
    if (requests->count == FILE_MAX_REQUESTS)
        return err_set(err, HRUN_ERROR_CONFIG, E2BIG, "more than %d generated files", FILE_MAX_REQUESTS);
    struct file_request* grown = reallocarray(requests->items, requests->count + 1, sizeof(*grown));
    if (!grown)
        return err_system(err, "keep a generated file");
    requests->items = grown;
    if (parse_fields(tlv, separator, &grown[requests->count], err) < 0)
        return -1;
    requests->count++;
    return 0;
}

void file_requests_free(struct file_requests* requests) {
    for (size_t i = 0; i < requests->count; i++) {
        free(requests->items[i].target);
        free(requests->items[i].content);
    }
    free(requests->items);
    *requests = (struct file_requests){0};
}
