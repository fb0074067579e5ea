// SPDX-License-Identifier: Apache-2.0
#include "boot/x86_64/page_tables.h"

#include <array>

#include "boot/x86_64/layout.h"

namespace hrun::boot {

namespace {

// Intel SDM volume 3, 4.5: entries of 4-level paging.
constexpr uint64_t kPresent = 1;
constexpr uint64_t kWritable = 2;
constexpr uint64_t kLargePage = 0x80;
constexpr uint64_t kLargePageSize = 2 << 20;
constexpr size_t kEntries = 512;
constexpr size_t kDirectories = 4; // one per GiB

using Table = std::array<uint64_t, kEntries>;

} // namespace

Result<void> write_page_tables(const GuestMemory& memory) {
    constexpr uint64_t pdpt = kPageTables + kPageSize;
    constexpr uint64_t directories = pdpt + kPageSize;
    std::array<Table, 2 + kDirectories> tables{};
    tables[0][0] = pdpt | kPresent | kWritable;
    for (size_t i = 0; i < kDirectories; ++i) {
        tables[1][i] = (directories + i * kPageSize) | kPresent | kWritable;
        for (size_t j = 0; j < kEntries; ++j)
            tables[2 + i][j] = (i * kEntries + j) * kLargePageSize | kPresent | kWritable | kLargePage;
    }
    if (!memory.write(kPageTables, tables.data(), sizeof tables))
        return Error{ENOMEM, "write page tables"};
    return {};
}

} // namespace hrun::boot
