// SPDX-License-Identifier: Apache-2.0
// flock(2) that is waited for, but not for ever.
#pragma once

#include <chrono>

#include "base/result.h"

namespace hrun {

// Locks an open file exclusively. EWOULDBLOCK when somebody else still has it after `limit`.
Result<void> lock_exclusively(int file, std::chrono::milliseconds limit);

} // namespace hrun
