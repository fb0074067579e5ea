// SPDX-License-Identifier: Apache-2.0
// Files with holes: disks and memory of machines.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "base/result.h"

namespace hrun {

// Calls `action` with the beginning and end of all that is no hole in the file's first `bytes`, in order; its error ends that.
Result<void> each_data_range(int file, uint64_t bytes,
                             const std::function<Result<void>(off_t, off_t)>& action);

// Makes the empty file `to` a copy of the file `from`: a reflink where the file system has it, else extent by extent, holes left out.
Result<void> copy_sparse(int from, int to);

} // namespace hrun
