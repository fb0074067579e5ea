// SPDX-License-Identifier: Apache-2.0
// hrun-vmm --names DIRECTORY ADDRESS TABLE: the DNS server of a network (docs/networks.md), in a jail of its own.
#pragma once

#include "base/result.h"

namespace hrun::monitor {

// Serves the network of this directory on this address, and opens the table of the firewall for what restricted containers may ask, until none of its machines has run for a while. Says "ready" on standard
// output when it can be asked. `resolver` in the directory is locked meanwhile, and has the process's id; EBUSY when another
// serves.
Result<void> serve_names(const char* directory, const char* address, const char* table);

} // namespace hrun::monitor
