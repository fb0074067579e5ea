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

// An empty chunk, with `data` left uninitialised. Its memory comes from chunks that were let go before, so that a
// stream of any length costs the page faults of its first few MiB only. From any thread.
ChunkPtr new_chunk();

// Some bytes of a chunk; keeps it alive.
struct Slice {
    ChunkPtr owner;
    const uint8_t* data = nullptr;
    size_t size = 0;
};

} // namespace hrun::erofs
