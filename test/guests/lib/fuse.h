/* SPDX-License-Identifier: Apache-2.0
 * A virtiofs driver (virtio 1.2, 5.11) that speaks as much FUSE as it takes to read and write a file that is there. */
#pragma once

#include <linux/fuse.h>

#include "virtio.h"

#define FUSE_ROOT 1 /* node */

struct fuse_file {
    uint64_t node;
    uint64_t handle;
};

/* Sets the device in `slot` up and begins a session. */
void fuse_init(unsigned slot);
/* Ends the session; the device is reset. */
void fuse_destroy(void);
uint64_t fuse_look_up(uint64_t parent, const char* name);
/* For reading and writing. */
struct fuse_file fuse_open(uint64_t node);
/* At most 4096 bytes from the file's beginning; returns how many. They stay until the next call. */
uint32_t fuse_read(const struct fuse_file* file, const char** data);
/* At the file's beginning. */
void fuse_write(const struct fuse_file* file, const char* data, uint32_t length);
