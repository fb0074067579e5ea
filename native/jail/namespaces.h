// SPDX-License-Identifier: Apache-2.0
// A child in namespaces of its own: mounts, network, IPC, host name and processes, and users where the caller is not root.
#pragma once

#include <sys/types.h>

#include "base/result.h"

namespace hrun::jail {

// As fork(2), with the child as process 1 of new namespaces (clone(2)). To be called while the process has one thread. The
// child of an unprivileged caller must call map_own_ids() before it can do anything as the owner of its namespaces.
// EPERM, ENOSPC, EINVAL, ENOSYS: this host refuses namespaces.
Result<pid_t> fork_into_namespaces();

// The child sees itself under the user and group id that it has outside, and as no others.
Result<void> map_own_ids(uid_t user, gid_t group);

// This process's id as those outside of its namespace see it, as long as their /proc is there.
pid_t outer_pid();

} // namespace hrun::jail
