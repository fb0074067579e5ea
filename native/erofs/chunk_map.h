// SPDX-License-Identifier: Apache-2.0
// Sparse files: equal chunks, each either a hole or a run of blocks (chunk-based inodes).
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "erofs/image_file.h"
#include "erofs/sparse_map.h"

namespace hrun::erofs {

struct ChunkMap {
    uint32_t chunk_bits = 0;                   // log2 of a chunk's bytes
    std::vector<uint32_t> blocks;              // first block of each chunk, or kNullBlock
    uint32_t first_block = 0, block_count = 0; // all blocks of the file

    // i_u of the inode.
    uint16_t format() const { return static_cast<uint16_t>(chunk_bits - 12); }
    // Where byte `at` of the file, which is not in a hole, stands in the image.
    uint64_t image_offset(uint64_t at) const;
};

// Chunks as small as keeps the map in proportion to the extents, and blocks for those that hold data.
Result<ChunkMap> map_chunks(uint64_t file_bytes, const SparseMap& extents, ImageFile& image);

} // namespace hrun::erofs
