// SPDX-License-Identifier: Apache-2.0
// What a process gives up for good.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.h"

namespace hrun::jail {

// All capabilities but those of the mask `kept` (1 << CAP_*), also those that a later execve could bring back, and with no_new_privs every other way to get more. For
// the calling thread: call it before there are others.
Result<void> drop_privileges(uint64_t kept = 0);

// This process dies by SIGKILL when its parent does. `lifeline`: a descriptor that hangs up once the parent is dead, for it
// may have died before this call: then it dies at once, and nobody hears of it, as later.
Result<void> die_with_parent(int lifeline);

// No core dump holds the guest's memory, and no process of the same user may look into this one (ptrace(2)).
Result<void> become_opaque();

// -1000 to 1000, higher: a better victim for the host's OOM killer. Best effort.
void set_oom_score(int adjustment);

} // namespace hrun::jail
