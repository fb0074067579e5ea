// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"

namespace hrun {

// Makes the names in a directory durable. `directory`: a descriptor of any kind, or AT_FDCWD.
Result<void> sync_directory(int directory);

} // namespace hrun
