// SPDX-License-Identifier: Apache-2.0
#include "memory/guest_memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace hrun {

Result<void> GuestMemory::add(Mapping mapping, uint64_t address) {
    const uint64_t page_mask = static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) - 1;
    const uint64_t size = mapping.size();
    if ((address & page_mask) != 0 || size == 0 || address > UINT64_MAX - size)
        return Error{EINVAL, "place a guest memory region"};
    const auto next = std::find_if(regions_.begin(), regions_.end(),
                                   [&](const Region& region) { return region.address >= address; });
    const bool hits_next = next != regions_.end() && next->address - address < size;
    const bool hits_previous = next != regions_.begin() && std::prev(next)->contains(address);
    if (hits_next || hits_previous)
        return Error{EEXIST, "place a guest memory region over another"};
    regions_.insert(next, Region{address, std::move(mapping)});
    return {};
}

std::byte* GuestMemory::contiguous(uint64_t address, uint64_t size) const {
    const Region* region = find(address);
    if (!region || size > region->size() - (address - region->address))
        return nullptr;
    return region->mapping.data() + (address - region->address);
}

bool GuestMemory::read(uint64_t address, void* to, uint64_t size) const {
    auto* out = static_cast<std::byte*>(to);
    while (size > 0) {
        const iovec part = piece(address, size);
        if (part.iov_len == 0)
            return false;
        // SAFETY: piece() returned bytes inside a live mapping; the guest may change them while they are copied,
        // so the result is any mix of old and new bytes, which the caller checks after the copy.
        memcpy(out, part.iov_base, part.iov_len);
        out += part.iov_len;
        address += part.iov_len;
        size -= part.iov_len;
    }
    return true;
}

bool GuestMemory::write(uint64_t address, const void* from, uint64_t size) const {
    const auto* in = static_cast<const std::byte*>(from);
    while (size > 0) {
        const iovec part = piece(address, size);
        if (part.iov_len == 0)
            return false;
        // SAFETY: piece() returned bytes inside a live, writable mapping.
        memcpy(part.iov_base, in, part.iov_len);
        in += part.iov_len;
        address += part.iov_len;
        size -= part.iov_len;
    }
    return true;
}

bool GuestMemory::segments(uint64_t address, uint64_t size, std::vector<iovec>& out) const {
    const size_t before = out.size();
    while (size > 0) {
        const iovec part = piece(address, size);
        if (part.iov_len == 0) {
            out.resize(before);
            return false;
        }
        out.push_back(part);
        address += part.iov_len;
        size -= part.iov_len;
    }
    return true;
}

const GuestMemory::Region* GuestMemory::find(uint64_t address) const {
    for (const Region& region : regions_)
        if (region.contains(address))
            return &region;
    return nullptr;
}

// As much of [address, address + size) as lies in the region that holds `address`; empty when none does. A region
// never reaches the end of the address space, so address + iov_len cannot wrap.
iovec GuestMemory::piece(uint64_t address, uint64_t size) const {
    const Region* region = find(address);
    if (!region)
        return {};
    const uint64_t offset = address - region->address;
    return {region->mapping.data() + offset, std::min(size, region->size() - offset)};
}

} // namespace hrun
