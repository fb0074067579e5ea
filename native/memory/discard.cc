// SPDX-License-Identifier: Apache-2.0
#include "memory/discard.h"

#include <sys/mman.h>

namespace hrun {

// MADV_REMOVE punches a hole in the file itself; MADV_DONTNEED would only drop this mapping's view of it.
Result<uint64_t> discard_pages(iovec range) {
    const auto address = reinterpret_cast<uintptr_t>(range.iov_base);
    const uintptr_t begin = (address + kDiscardUnit - 1) & ~(kDiscardUnit - 1);
    const uintptr_t end = (address + range.iov_len) & ~(kDiscardUnit - 1);
    if (begin >= end)
        return uint64_t{0};
    if (madvise(reinterpret_cast<void*>(begin), end - begin, MADV_REMOVE) < 0)
        return Error::last("give guest memory back");
    return uint64_t{end - begin};
}

} // namespace hrun
