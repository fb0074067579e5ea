// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace hrun {

// Makes the names in a directory durable. `directory`: a descriptor of any kind, or AT_FDCWD.
Result<void> sync_directory(int directory);

// Where the directory of a descriptor is now.
Result<std::string> path_of_directory(int directory);

} // namespace hrun
