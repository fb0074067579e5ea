/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernel parameters (--sysctl) of the container's namespaces.
 */
#ifndef HRUN_SYSCTL_H
#define HRUN_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "configure.h"
#include "err.h"

/* Writes every HRUN_CONF_SYSCTL. The caller is in the namespaces whose parameters they are; /proc is the
 * agent's. */
int sysctls_set(const struct configure* configure, struct err* err);

/* The path below /proc/sys of a key: dots become slashes, and slashes dots, as in sysctl(8). False when the
 * key is empty, too long, or would leave /proc/sys. */
bool sysctl_path(const char* key, char* path, size_t size);

#endif
