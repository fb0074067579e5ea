// SPDX-License-Identifier: Apache-2.0
#include "boot/x86_64/memory_map.h"

#include <algorithm>

#include "boot/x86_64/layout.h"

namespace hrun::boot {

std::vector<Range> ram_ranges(uint64_t size) {
    std::vector<Range> ranges{{0, std::min(size, kHoleStart)}};
    if (size > kHoleStart)
        ranges.push_back({kHoleEnd, size - kHoleStart});
    return ranges;
}

std::vector<E820Entry> e820_map(const std::vector<Range>& ram) {
    const Range& low = ram.front();
    std::vector<E820Entry> map{
        {0, kLowMemoryEnd, E820Type::kRam},
        {kLowMemoryEnd, kHighMemory - kLowMemoryEnd, E820Type::kReserved},
        {kHighMemory, low.size - kHighMemory, E820Type::kRam},
    };
    for (size_t i = 1; i < ram.size(); ++i)
        map.push_back({ram[i].address, ram[i].size, E820Type::kRam});
    return map;
}

} // namespace hrun::boot
