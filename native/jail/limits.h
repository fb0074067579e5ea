// SPDX-License-Identifier: Apache-2.0
// Resource limits of a jailed process (getrlimit(2)).
#pragma once

#include <cstdint>

#include "base/result.h"

namespace hrun::jail {

// At most `descriptors` open files, unless the limit is lower already; no core dump, no locked memory, no message queues.
Result<void> set_limits(uint64_t descriptors);

} // namespace hrun::jail
