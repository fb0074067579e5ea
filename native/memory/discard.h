// SPDX-License-Identifier: Apache-2.0
// Giving guest memory back to the host.
#pragma once

#include <sys/uio.h>

#include <cstdint>

#include "base/result.h"

namespace hrun {

constexpr uint64_t kDiscardUnit = 4096; // bytes: a page of x86-64

// What the pages of a mapping are.
enum class Backing {
    kShared,      // a memory file's own
    kCopyOnWrite, // private copies, and a file's as long as they are not written
};

// Frees the whole pages inside `range`, a part of one mapping: they read as zeroes and take no memory until they are written again,
// kShared ones in every mapping of the file. Returns how many bytes that were. EINVAL for memory that cannot be freed so, such as
// huge pages of which the range has only a part; ENOMEM when there are too many holes in a private mapping already.
Result<uint64_t> discard_pages(iovec range, Backing backing);

} // namespace hrun
