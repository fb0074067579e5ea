// SPDX-License-Identifier: Apache-2.0
// Of a machine that is made in advance: it takes the CPU time that nobody else wants. sched(7), SCHED_IDLE.
#pragma once

#include <sys/types.h>

namespace hrun::monitor {

// Lowers this process's and its children-to-be's, where it could be raised again: as root.
void lower_priority();
// Undoes it for this process and all threads of the tree of processes below `child`.
void restore_priority(pid_t child);

} // namespace hrun::monitor
