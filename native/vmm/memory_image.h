// SPDX-License-Identifier: Apache-2.0
// A guest's memory as a part of a file: one range of RAM after the other, what is zero left out.
#pragma once

#include "base/result.h"
#include "vmm/machine_memory.h"

namespace hrun::vmm {

// Writes it to `file` from `offset` on; the file then ends where memory ends. Memory that the guest has never touched is not looked
// at, if the machine's memory is a file of its own.
Result<void> write_memory_image(int file, uint64_t offset, const MachineMemory& memory);

} // namespace hrun::vmm
