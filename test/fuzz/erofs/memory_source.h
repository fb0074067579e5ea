// SPDX-License-Identifier: Apache-2.0
// A tar in memory, handed out in pieces of odd sizes so that everything straddles them.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "erofs/byte_source.h"

namespace hrun::erofs {

class MemorySource : public ByteSource {
  public:
    MemorySource(std::span<const uint8_t> bytes, size_t piece)
        : bytes_(bytes), piece_(std::max<size_t>(piece, 1)) {}

    Result<Slice> next(size_t max) override {
        const size_t size = std::min({max, piece_, bytes_.size(), kChunkBytes});
        if (size == 0)
            return Slice{};
        ChunkPtr chunk = new_chunk_of(bytes_.first(size));
        bytes_ = bytes_.subspan(size);
        position_ += size;
        return Slice{chunk, chunk->data, size};
    }

  private:
    // A copy: the image file may still hold the slice when the next one is asked for.
    static ChunkPtr new_chunk_of(std::span<const uint8_t> bytes) {
        ChunkPtr chunk = new_chunk();
        memcpy(chunk->data, bytes.data(), bytes.size());
        chunk->size = bytes.size();
        return chunk;
    }

    std::span<const uint8_t> bytes_;
    size_t piece_;
};

} // namespace hrun::erofs
