/* SPDX-License-Identifier: Apache-2.0
 *
 * The generated files of a request as data.
 */
#ifndef HRUN_FILE_REQUEST_H
#define HRUN_FILE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "tlv.h"

#define FILE_MAX_REQUESTS 1024

struct file_request {
    char* target;
    uint8_t* content;
    size_t length;
};

struct file_requests {
    struct file_request* items;
    size_t count;
};

/* Takes an HRUN_CONF_FILE. */
int file_requests_parse(const struct tlv* tlv, struct file_requests* requests, struct err* err);

void file_requests_free(struct file_requests* requests);

#endif
