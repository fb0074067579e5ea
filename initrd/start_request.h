/* SPDX-License-Identifier: Apache-2.0
 *
 * The START request as data: which process, as whom, with which limits and streams.
 */
#ifndef HRUN_START_REQUEST_H
#define HRUN_START_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "string_list.h"

#define START_MAX_RLIMITS 32

struct rlimit_request {
    uint32_t resource; /* Linux RLIMIT_* */
    uint64_t soft;     /* all ones: unlimited */
    uint64_t hard;
};

struct start_request {
    struct string_list arguments; /* at least one of a command; of an archive as many as protocol.h says */
    struct string_list environment;
    char* cwd;  /* absolute; "/" when not given */
    char* user; /* "" when not given: uid 0 */
    struct string_list groups;
    uint64_t capabilities; /* none when not given */
    struct rlimit_request rlimits[START_MAX_RLIMITS];
    size_t rlimit_count;
    uint32_t flags;   /* enum hrun_start_flags */
    uint32_t archive; /* enum hrun_archive; 0: a command */
    uint16_t rows;
    uint16_t columns;
    uint32_t umask; /* 022 when not given */
    bool has_oom_score;
    int oom_score; /* oom_score_adj, -1000 to 1000 */
};

/* Parses the payload of START. `request` must be zeroed, and is to be freed whatever the result. */
int start_request_parse(const uint8_t* payload, size_t length, struct start_request* request,
                        struct err* err);

void start_request_free(struct start_request* request);

#endif
