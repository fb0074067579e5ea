/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of the machine's CPUs the guest uses.
 */
#ifndef HRUN_CPUS_H
#define HRUN_CPUS_H

#include <stdint.h>

#include "err.h"

/* Brings the first `count` CPUs online and takes all others offline; UINT64_MAX is all. EINVAL for 0 and for more than the machine has. */
int cpus_set_online(const char* sysfs, uint64_t count, struct err* err);

#endif
