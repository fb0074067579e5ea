// SPDX-License-Identifier: Apache-2.0
// Landlock (landlock(7)): files out of reach for a process that could not get a root of its own, and a second wall for one
// that did.
#pragma once

#include "base/result.h"

namespace hrun::jail {

// From now on this process can open, make, rename and remove regular files and sockets in the working directory, and nothing
// anywhere else. no_new_privs must be set; for the calling thread and those it starts. ENOSYS, EOPNOTSUPP: the host's kernel
// has no Landlock.
Result<void> confine_files_to_working_directory();

} // namespace hrun::jail
