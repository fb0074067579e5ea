/* SPDX-License-Identifier: Apache-2.0
 *
 * Unpacks a tar archive into a directory of the container, by Docker's rules. The process's root is the container's: no
 * link, in the archive or planted by the container meanwhile, leads out of that. No name in the archive leads out of the
 * directory by itself.
 */
#ifndef HRUN_TAR_UNPACK_H
#define HRUN_TAR_UNPACK_H

#include <stdbool.h>

#include "err.h"
#include "tar_reader.h"

struct tar_owner {
    bool given; /* everything belongs to these; else to whom the archive says */
    uid_t uid;
    gid_t gid;
};

/* Unpacks what comes from `input` into the directory `place`, up to the end of file. */
int tar_unpack(int input, int place, const struct tar_owner* owner, struct err* err);

#endif
