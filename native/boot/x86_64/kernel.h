// SPDX-License-Identifier: Apache-2.0
// Loading a kernel: an ELF vmlinux or a bzImage, told apart by their magic numbers.
#pragma once

#include <asm/bootparam.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "boot/x86_64/image_file.h"
#include "memory/guest_memory.h"

namespace hrun::boot {

struct LoadedKernel {
    uint64_t entry; // where the first vCPU starts, in 64-bit mode
    uint64_t end;   // first byte behind the kernel and the room it asks for to unpack itself
    // For the zero page: a bzImage's own, or what an ELF kernel, which has none, is given.
    setup_header header;
};

// ENOEXEC with the path when the file is neither, is broken, is not for x86-64 or does not fit.
Result<LoadedKernel> load_kernel(const GuestMemory& memory, const ImageSource& source);

Result<LoadedKernel> load_elf(const GuestMemory& memory, const ImageFile& file);
Result<LoadedKernel> load_bzimage(const GuestMemory& memory, const ImageFile& file);

} // namespace hrun::boot
