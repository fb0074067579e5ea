// SPDX-License-Identifier: Apache-2.0
#include "vmm/memory_image.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "boot/x86_64/layout.h"

namespace hrun::vmm {

namespace {

using boot::kPageSize;

struct Extent {
    uint64_t begin, end; // bytes of memory, as in its file
};

// The next piece of memory from `at` on that may hold something; empty when there is none.
Extent next_extent(const MachineMemory& memory, uint64_t at) {
    const uint64_t size = memory.size();
    if (!memory.file.valid()) // private copies: what was touched is not in a file
        return {at, size};
    const off_t begin = lseek(memory.file.get(), static_cast<off_t>(at), SEEK_DATA);
    if (begin < 0)
        return {size, size};
    const off_t end = lseek(memory.file.get(), begin, SEEK_HOLE);
    return {static_cast<uint64_t>(begin), end < 0 ? size : std::min(size, static_cast<uint64_t>(end))};
}

bool is_zero(const std::byte* page) {
    return page[0] == std::byte{0} && memcmp(page, page + 1, kPageSize - 1) == 0;
}

Result<void> write_at(int file, const std::byte* from, uint64_t size, uint64_t offset) {
    while (size > 0) {
        const ssize_t written = pwrite(file, from, size, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return Error::last("write guest memory to a snapshot");
        from += written;
        offset += static_cast<uint64_t>(written);
        size -= static_cast<uint64_t>(written);
    }
    return {};
}

// Whole pages at `from`, which go to `offset`; runs of pages that are not zero are written at once.
Result<void> write_pages(int file, const std::byte* from, uint64_t size, uint64_t offset) {
    for (uint64_t begin = 0; begin < size;) {
        uint64_t end = begin;
        while (end < size && !is_zero(from + end))
            end += kPageSize;
        if (end > begin)
            HRUN_TRY(write_at(file, from + begin, end - begin, offset + begin));
        begin = end + kPageSize;
    }
    return {};
}

} // namespace

Result<void> write_memory_image(int file, uint64_t offset, const MachineMemory& memory) {
    if (ftruncate(file, static_cast<off_t>(offset + memory.size())) < 0)
        return Error::last("size a snapshot");
    uint64_t base = 0; // of the range, in the file
    for (const boot::Range& range : memory.ranges) {
        const std::byte* host = memory.guest.contiguous(range.address, range.size);
        for (uint64_t at = base; at < base + range.size;) {
            const Extent extent = next_extent(memory, at);
            const uint64_t begin = std::min(extent.begin, base + range.size);
            const uint64_t end = std::min(extent.end, base + range.size);
            HRUN_TRY(write_pages(file, host + (begin - base), end - begin, offset + begin));
            at = end;
        }
        base += range.size;
    }
    return {};
}

} // namespace hrun::vmm
