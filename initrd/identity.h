/* SPDX-License-Identifier: Apache-2.0
 *
 * Becoming the user a process is to run as.
 */
#ifndef HRUN_IDENTITY_H
#define HRUN_IDENTITY_H

#include "err.h"
#include "start_request.h"
#include "users.h"

/* Resolves the request's user with /etc/passwd and /etc/group of the current root. */
int identity_find(const struct start_request* request, struct identity* identity, struct err* err);

/* Takes on groups, user and capabilities. The caller is still root, with all capabilities. */
int identity_assume(const struct start_request* request, const struct identity* identity, struct err* err);

#endif
