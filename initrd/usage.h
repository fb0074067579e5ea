/* SPDX-License-Identifier: Apache-2.0
 *
 * What the container uses, as the guest's kernel counts it.
 */
#ifndef HRUN_USAGE_H
#define HRUN_USAGE_H

#include "protocol.h"

/* Reads every counter of `cgroup`, the disks and the interfaces. What cannot be read is 0. */
struct hrun_used usage_now(int cgroup);

#endif
