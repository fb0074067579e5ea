/* SPDX-License-Identifier: Apache-2.0
 *
 * What is in a container's /dev (OCI runtime-spec, config-linux.md#default-devices).
 */
#ifndef HRUN_DEV_NODES_H
#define HRUN_DEV_NODES_H

#include "err.h"

/* Makes the default devices and the links in `dev`, a directory descriptor of a new /dev. */
int dev_nodes_make(int dev, struct err* err);

/* Makes the links only: a devtmpfs has the devices. */
int dev_links_make(int dev, struct err* err);

/* Binds the terminal at `terminal` (O_PATH) over /dev/console of the container's root. */
int dev_console_bind(int root, int terminal, struct err* err);

#endif
