// SPDX-License-Identifier: Apache-2.0
// A disk's file on the host.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "monitor/config.h"

namespace hrun::monitor {

// Opens it as its access asks for. The error names the path.
Result<Fd> open_disk(const DiskConfig& disk);

// One line for the user about a file that the host could not write.
std::string disk_failure(const std::string& path, bool no_space);

} // namespace hrun::monitor
