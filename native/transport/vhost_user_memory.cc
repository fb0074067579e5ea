// SPDX-License-Identifier: Apache-2.0
#include "transport/vhost_user_memory.h"

#include <cstddef>

#include "memory/memory_file.h"

namespace hrun::vhost_user {

Result<SharedMemory> SharedMemory::map(const Message& message) {
    MemoryTable table{};
    constexpr size_t kFixed = offsetof(MemoryTable, regions);
    if (message.header.size < kFixed)
        return Error{EPROTO, "vhost-user: memory table too short"};
    memcpy(&table, message.payload, std::min<size_t>(message.header.size, sizeof table));
    if (table.count > kMaxRegions || message.fds.size() != table.count ||
        message.header.size < kFixed + table.count * sizeof(MemoryRegion))
        return Error{EPROTO, "vhost-user: memory table of " + std::to_string(table.count) + " regions"};

    SharedMemory memory;
    for (uint32_t i = 0; i < table.count; ++i) {
        const MemoryRegion& region = table.regions[i];
        const int fd = message.fds[i].get();
        HRUN_TRY(require_unshrinkable(fd));
        auto mapping = Mapping::share(fd, region.mmap_offset, region.size);
        if (!mapping)
            return mapping.error();
        HRUN_TRY(memory.guest_.add(std::move(*mapping), region.guest_address));
        memory.regions_.push_back(region);
    }
    return memory;
}

std::optional<uint64_t> SharedMemory::guest_address(uint64_t user_address) const {
    for (const MemoryRegion& region : regions_)
        if (user_address >= region.user_address && user_address - region.user_address < region.size)
            return region.guest_address + (user_address - region.user_address);
    return std::nullopt;
}

} // namespace hrun::vhost_user
