// SPDX-License-Identifier: Apache-2.0
// A keeper's request to another container's monitor: a place in its machine for the disks of this one.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "monitor/config.h"

namespace hrun::monitor {

// Sends HELLO, the disks' files and JOIN; the socket returned is for the monitor, which reads the answer, and can ask for nothing that a
// joining container may not have. An error's `what` is all that the user is to be told.
Result<Fd> ask_to_join(const HostConfig& host, const std::vector<DiskConfig>& disks,
                       std::vector<Result<Fd>>& files);

} // namespace hrun::monitor
