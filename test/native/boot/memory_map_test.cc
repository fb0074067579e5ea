// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "boot/x86_64/layout.h"
#include "boot/x86_64/memory_map.h"

using namespace hrun::boot;

TEST_CASE("RAM that fits below the hole is one range") {
    CHECK(ram_ranges(128 << 20) == std::vector<Range>{{0, 128 << 20}});
    CHECK(ram_ranges(kHoleStart) == std::vector<Range>{{0, kHoleStart}});
}

TEST_CASE("RAM above the hole goes on at 4 GiB and none is lost") {
    const auto ranges = ram_ranges(8ull << 30);
    CHECK(ranges == std::vector<Range>{{0, 0xd0000000}, {0x100000000, (8ull << 30) - 0xd0000000}});
    CHECK(ram_ranges(kHoleStart + kPageSize)[1] == Range{kHoleEnd, kPageSize});
}

TEST_CASE("the e820 map tells all RAM but the legacy area, in order and without overlap") {
    for (uint64_t size : {uint64_t{2} << 20, uint64_t{512} << 20, uint64_t{6} << 30}) {
        const auto map = e820_map(ram_ranges(size));
        uint64_t ram = 0, end = 0;
        for (const E820Entry& entry : map) {
            CHECK(entry.address >= end);
            CHECK(entry.size > 0);
            end = entry.address + entry.size;
            CHECK((end <= kHoleStart || entry.address >= kHoleEnd));
            if (entry.type == E820Type::kRam)
                ram += entry.size;
        }
        CHECK(ram == size - (kHighMemory - kLowMemoryEnd));
    }
}

TEST_CASE("no two of the first nineteen virtio slots share an interrupt line, and none is a PC's own") {
    for (uint32_t a = 0; a < kVirtioMmioSlots; ++a) {
        CHECK(virtio_line(a) > kSerialLine);
        CHECK(virtio_line(a) < kIoApicPins);
        for (uint32_t b = a + 1; b < 19; ++b)
            CHECK(virtio_line(a) != virtio_line(b));
    }
}
