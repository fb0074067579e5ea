// SPDX-License-Identifier: Apache-2.0
// Giving guest memory back to the host.
#pragma once

#include <sys/uio.h>

#include <cstdint>

#include "base/result.h"

namespace hrun {

constexpr uint64_t kDiscardUnit = 4096; // bytes: a page of x86-64

// Frees the whole pages inside `range`, a part of a shared mapping of a memory file, in every mapping of that file: they
// read as zeroes and take no memory until they are written again. Returns how many bytes that were. EINVAL for memory that
// cannot be freed so, such as huge pages of which the range has only a part.
Result<uint64_t> discard_pages(iovec range);

} // namespace hrun
