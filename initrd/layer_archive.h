/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's changes as an OCI layer (image-spec layer.md): the upper directory with whiteouts as files.
 */
#ifndef HRUN_LAYER_ARCHIVE_H
#define HRUN_LAYER_ARCHIVE_H

#include "configure.h"
#include "err.h"

/* Writes the layer to `fd`. The root is the upper directory; `image` a descriptor of the image's root or -1. */
int layer_archive_write(int fd, int image, const struct configure* configure, struct err* err);

#endif
