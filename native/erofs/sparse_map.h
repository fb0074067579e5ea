// SPDX-License-Identifier: Apache-2.0
// Which parts of a sparse file a tar holds (GNU tar manual, "Storing Sparse Files").
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hrun::erofs {

struct SparseExtent {
    uint64_t offset = 0, length = 0; // bytes in the file
};
using SparseMap = std::vector<SparseExtent>;

// "offset,length,offset,length,…": GNU.sparse.map of format 0.1.
Result<SparseMap> parse_sparse_list(std::string_view text, uint64_t max_extents);

// One "offset length" pair of 12-byte numbers, as old GNU headers have them; returns false for the
// empty pair that ends a list.
Result<bool> parse_sparse_pair(const uint8_t* pair, SparseExtent& extent);

// Drops empty extents and checks that the rest ascends, does not overlap, lies inside `file_bytes` and
// adds up to the `stored_bytes` that follow in the tar.
Result<void> check_sparse_map(SparseMap& map, uint64_t file_bytes, uint64_t stored_bytes);

} // namespace hrun::erofs
