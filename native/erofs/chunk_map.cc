// SPDX-License-Identifier: Apache-2.0
#include "erofs/chunk_map.h"

#include <algorithm>

namespace hrun::erofs {
namespace {

// A map of 64 KiB at most, and of a few hundred bytes per extent: an archive of tiny sparse files must
// not inflate into gigabytes of maps.
constexpr uint64_t kMinChunks = 16, kChunksPerExtent = 64, kMaxChunks = 16384;

uint32_t choose_chunk_bits(uint64_t file_bytes, size_t extents) {
    const uint64_t most = std::clamp(extents * kChunksPerExtent, kMinChunks, kMaxChunks);
    uint32_t bits = kBlockBits;
    while ((file_bytes + (uint64_t{1} << bits) - 1) >> bits > most)
        bits++;
    return bits;
}

} // namespace

uint64_t ChunkMap::image_offset(uint64_t at) const {
    const uint64_t inside = at & ((uint64_t{1} << chunk_bits) - 1);
    return (static_cast<uint64_t>(blocks[at >> chunk_bits]) << kBlockBits) + inside;
}

Result<ChunkMap> map_chunks(uint64_t file_bytes, const SparseMap& extents, ImageFile& image) {
    ChunkMap map;
    map.chunk_bits = choose_chunk_bits(file_bytes, extents.size());
    const uint64_t chunk_bytes = uint64_t{1} << map.chunk_bits;
    map.blocks.assign((file_bytes + chunk_bytes - 1) >> map.chunk_bits, kNullBlock);
    map.first_block = image.next_block();
    for (const SparseExtent& extent : extents) {
        const uint64_t last = (extent.offset + extent.length - 1) >> map.chunk_bits;
        for (uint64_t chunk = extent.offset >> map.chunk_bits; chunk <= last; chunk++) {
            if (map.blocks[chunk] != kNullBlock)
                continue;
            const uint64_t bytes = std::min(chunk_bytes, file_bytes - (chunk << map.chunk_bits));
            Result<uint32_t> block = image.allocate(round_up(bytes, kBlockBytes) >> kBlockBits);
            if (!block)
                return block.error();
            map.blocks[chunk] = *block;
        }
    }
    map.block_count = image.next_block() - map.first_block;
    return map;
}

} // namespace hrun::erofs
