// SPDX-License-Identifier: Apache-2.0
// Files that hold guest memory. A mapping of a file that shrinks raises SIGBUS in whoever touches it, so every
// file that a peer could shrink must be sealed against it.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"

namespace hrun {

// A new memfd of `size` bytes, sealed so that its size never changes. `name` is seen in /proc/*/maps only.
Result<Fd> create_memory_file(const char* name, uint64_t size);

// Fails with EPERM unless `fd` is a memfd whose size can no longer shrink (F_SEAL_SHRINK).
Result<void> require_unshrinkable(int fd);

} // namespace hrun
