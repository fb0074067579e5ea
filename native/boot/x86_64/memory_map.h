// SPDX-License-Identifier: Apache-2.0
// Which guest-physical addresses are RAM, for KVM's slots and for the guest's e820 table.
#pragma once

#include <cstdint>
#include <vector>

namespace hrun::boot {

struct Range {
    uint64_t address;
    uint64_t size;

    bool operator==(const Range&) const = default;
};

enum class E820Type : uint32_t { kRam = 1, kReserved = 2 };

struct E820Entry {
    uint64_t address;
    uint64_t size;
    E820Type type;

    bool operator==(const E820Entry&) const = default;
};

// RAM of `size` bytes (whole pages): up to the hole below 4 GiB, the rest from 4 GiB on.
std::vector<Range> ram_ranges(uint64_t size);

// What the firmware of a PC with that RAM would tell: RAM but for the MP table's page part, sorted, disjoint.
std::vector<E820Entry> e820_map(const std::vector<Range>& ram);

} // namespace hrun::boot
