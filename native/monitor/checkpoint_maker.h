// SPDX-License-Identifier: Apache-2.0
// hrun-vmm --checkpoint CONTAINER_DIRECTORY CHECKPOINT_DIRECTORY go-on|end: what a monitor in its jail cannot do for itself.
#pragma once

#include "base/result.h"

namespace hrun::monitor {

// Writes a checkpoint of the container, whose process runs, into the directory, which has no file of these names. It goes on
// afterwards, or ends if `ends`; whatever fails, it goes on.
Result<void> make_checkpoint(const char* container, const char* directory, bool ends);

} // namespace hrun::monitor
