/* SPDX-License-Identifier: Apache-2.0
 *
 * The loopback interface, which every container has, whatever its network.
 */
#ifndef HRUN_LOOPBACK_H
#define HRUN_LOOPBACK_H

#include "err.h"

/* Brings lo up, with 127.0.0.1 and ::1. */
int loopback_up(struct err* err);

#endif
