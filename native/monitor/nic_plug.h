// SPDX-License-Identifier: Apache-2.0
// hrun-vmm --plug CONTAINER_DIRECTORY SLOT, --unplug CONTAINER_DIRECTORY SLOT, --ports CONTAINER_DIRECTORY: what a monitor in its jail cannot do for itself. Run on
// the host's network by whoever may change it.
#pragma once

#include "base/result.h"

namespace hrun::monitor {

// Makes the tap interface of vm.json's network interface in this slot, writes down its names, and gives both to the container's
// monitor. One that its machine has already is fine.
Result<void> plug(const char* directory, unsigned slot);

// Has the monitor take away what is in the slot. A machine that has nothing there is fine.
Result<void> unplug(const char* directory, unsigned slot);

// Has the container's keeper look where vm.json says that its ports lead now; what has come of it is in the record of its ports. A container
// without a keeper is fine.
Result<void> redirect_ports_of(const char* directory);

} // namespace hrun::monitor
