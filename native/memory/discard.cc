// SPDX-License-Identifier: Apache-2.0
#include "memory/discard.h"

#include <sys/mman.h>

namespace hrun {

namespace {

// MADV_REMOVE punches a hole in the file itself; MADV_DONTNEED would only drop this mapping's view of it.
bool free_shared(void* address, size_t size) {
    return madvise(address, size, MADV_REMOVE) == 0;
}

// Behind a private page is the file's, with what the guest had there long ago: new pages without a file take its place.
// SAFETY: the range lies inside a mapping of guest memory, which stays mapped.
bool free_private(void* address, size_t size) {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    return mmap(address, size, PROT_READ | PROT_WRITE, kFlags, -1, 0) != MAP_FAILED;
}

} // namespace

Result<uint64_t> discard_pages(iovec range, Backing backing) {
    const auto address = reinterpret_cast<uintptr_t>(range.iov_base);
    const uintptr_t begin = (address + kDiscardUnit - 1) & ~(kDiscardUnit - 1);
    const uintptr_t end = (address + range.iov_len) & ~(kDiscardUnit - 1);
    if (begin >= end)
        return uint64_t{0};
    auto* const start = reinterpret_cast<void*>(begin);
    if (!(backing == Backing::kShared ? free_shared(start, end - begin) : free_private(start, end - begin)))
        return Error::last("give guest memory back");
    return uint64_t{end - begin};
}

} // namespace hrun
