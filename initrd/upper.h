/* SPDX-License-Identifier: Apache-2.0
 *
 * The upper directory of the container's overlay: what it says beyond plain files
 * (Documentation/filesystems/overlayfs.rst).
 */
#ifndef HRUN_UPPER_H
#define HRUN_UPPER_H

#include <stdbool.h>

#include "configure.h"
#include "found_file.h"

/* True for what stands for a file of the image that was removed. */
bool upper_is_whiteout(const struct stat* status);

/* True for a directory that hides the image's. */
bool upper_is_opaque(const struct found_file* directory);

/* True for an empty file or directory that is only there for something to be mounted on: `path` is relative to the root,
 * `image` a descriptor of the image's root or -1. */
bool upper_is_mount_point(const struct configure* configure, int image, const char* path,
                          const struct stat* status);

#endif
