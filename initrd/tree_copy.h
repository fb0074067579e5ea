/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies a directory tree with all that an image may say of a file: owner, mode, times, extended attributes, symbolic
 * links, devices.
 */
#ifndef HRUN_TREE_COPY_H
#define HRUN_TREE_COPY_H

#include "err.h"

/* Makes the directory `to` what `from` is. What a copy cut short has left of a name is replaced; other names stay. */
int tree_copy(int from, int to, struct err* err);

#endif
