/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths that a container must not see or not change (OCI runtime-spec, config-linux.md#masked-paths and
 * #readonly-paths). A path that does not exist needs neither.
 */
#ifndef HRUN_MASKS_H
#define HRUN_MASKS_H

#include "err.h"
#include "string_list.h"

/* Hides each path: a directory under an empty read-only tmpfs, anything else under /dev/null. */
int masks_hide(int root, const struct string_list* paths, struct err* err);

/* Makes each path, and what is mounted below it, read-only. */
int masks_protect(int root, const struct string_list* paths, struct err* err);

#endif
