// SPDX-License-Identifier: Apache-2.0
// The host's directories and files that a guest is to see, as one tree of mounts.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "monitor/config.h"

namespace hrun::monitor {

// Each path with everything mounted below it, as a mount that is attached nowhere yet: nobody can exchange it any more.
// Read-only ones are so here, on the host; device nodes cannot be opened through any. Needs CAP_SYS_ADMIN.
Result<std::vector<Fd>> open_shared_paths(const std::vector<SharedPath>& paths);

// For a child: in mounts of its own, covers the directory `place` with a read-only one that holds mount N as "N" and
// nothing else.
Result<void> attach_shared_paths(const std::vector<Fd>& mounts, const std::string& place);

} // namespace hrun::monitor
