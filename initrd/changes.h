/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container has changed in its image's files, by Docker's rules: a directory is changed when something in it was
 * added, changed or deleted, or its own mode or owner; of a deleted directory only itself is told.
 */
#ifndef HRUN_CHANGES_H
#define HRUN_CHANGES_H

#include "configure.h"
#include "err.h"

/* Writes a record for each change to standard output, in no order: "A", "C" or "D", the path, NUL. The root is the upper
 * directory; `image` a descriptor of the image's root or -1. */
int changes_write(int image, const struct configure* configure, struct err* err);

#endif
