// SPDX-License-Identifier: Apache-2.0
// The page tables a 64-bit kernel starts on.
#pragma once

#include "base/result.h"
#include "memory/guest_memory.h"

namespace hrun::boot {

// Maps the first 4 GiB onto themselves, writable, in pages of 2 MiB. The boot protocol asks for the kernel, the zero
// page and the command line; 4 GiB also covers the initrd and the devices. CR3 is kPageTables then.
Result<void> write_page_tables(const GuestMemory& memory);

} // namespace hrun::boot
