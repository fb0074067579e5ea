/* SPDX-License-Identifier: Apache-2.0
 *
 * The CONFIGURE request as data: what the container's root, files and limits are to be.
 */
#ifndef HRUN_CONFIGURE_H
#define HRUN_CONFIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "file_request.h"
#include "nic_request.h"
#include "string_list.h"

#define CONFIGURE_MAX_SLOT 63
#define CONFIGURE_MAX_LAYERS (CONFIGURE_MAX_SLOT + 1)
#define CONFIGURE_MAX_ITEMS 1024 /* mounts, sysctls, files: each */
#define CONFIGURE_MAX_ENTROPY 256

struct mount_request {
    char* type;
    char* source;
    char* target;
    char* options;
};

struct sysctl_request {
    char* key;
    char* value;
};

struct configure {
    uint32_t layers[CONFIGURE_MAX_LAYERS]; /* slots, lowest layer first */
    size_t layer_count;
    bool has_writable;
    uint32_t writable; /* slot */
    bool has_share;
    uint32_t share; /* slot */
    char* hostname;
    char* domainname;
    uint32_t flags; /* enum hrun_configure_flags */
    struct mount_request* mounts;
    size_t mount_count;
    struct sysctl_request* sysctls;
    size_t sysctl_count;
    struct file_requests files;
    struct string_list masked;
    struct string_list readonly;
    uint64_t time_ns; /* since the epoch, or 0: leave the clock */
    uint8_t entropy[CONFIGURE_MAX_ENTROPY];
    size_t entropy_length;
    uint64_t shm_size;   /* bytes */
    uint64_t pids_max;   /* or 0: no limit */
    uint64_t memory_max; /* the same, in bytes */
    uint32_t cpus;       /* online, or 0: all */
    struct nic_requests nics;
};

/* Parses the payload of CONFIGURE. `configure` must be zeroed, and is to be freed whatever the result. */
int configure_parse(const uint8_t* payload, size_t length, struct configure* configure, struct err* err);

void configure_free(struct configure* configure);

#endif
