// SPDX-License-Identifier: Apache-2.0
// The zero page: struct boot_params of Linux's boot protocol, and the command line it points to.
#pragma once

#include <string>
#include <vector>

#include "boot/x86_64/kernel.h"
#include "boot/x86_64/memory_map.h"

namespace hrun::boot {

// Writes the command line with its NUL. E2BIG when it is longer than the kernel takes.
Result<void> write_command_line(const GuestMemory& memory, const LoadedKernel& kernel,
                                const std::string& line);

// Writes the zero page: the kernel's header, completed, the e820 map and where the initrd lies (size 0: none).
Result<void> write_zero_page(const GuestMemory& memory, const LoadedKernel& kernel, const Range& initrd,
                             const std::vector<E820Entry>& e820);

} // namespace hrun::boot
