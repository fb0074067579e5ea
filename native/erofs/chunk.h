// SPDX-License-Identifier: Apache-2.0
// Reference-counted buffers: the tar's bytes go from the inflater to the digest and to the image file
// without a copy in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace hrun::erofs {

// Big enough to amortise a queue operation, small enough that several stay in a core's cache.
constexpr size_t kChunkBytes = 256 * 1024;

struct Chunk {
    size_t size = 0; // bytes filled
    alignas(64) uint8_t data[kChunkBytes];
};

// Null stands for the end of the stream.
using ChunkPtr = std::shared_ptr<Chunk>;

// Memory is left uninitialised: whoever fills a chunk sets `size`.
inline ChunkPtr new_chunk() {
    return std::make_shared_for_overwrite<Chunk>();
}

// Some bytes of a chunk; keeps it alive.
struct Slice {
    ChunkPtr owner;
    const uint8_t* data = nullptr;
    size_t size = 0;
};

} // namespace hrun::erofs
