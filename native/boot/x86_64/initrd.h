// SPDX-License-Identifier: Apache-2.0
// Loading an initrd: as high as it may lie, so that the kernel can grow below it.
#pragma once

#include <string>

#include "boot/x86_64/kernel.h"
#include "boot/x86_64/memory_map.h"

namespace hrun::boot {

// Places the file in page-aligned RAM behind `kernel` and below the address its header allows. ENOMEM when there is
// no room. The range's size is the file's.
Result<Range> load_initrd(const GuestMemory& memory, const Range& low_ram, const LoadedKernel& kernel,
                          const ImageSource& source);

} // namespace hrun::boot
