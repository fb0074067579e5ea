// SPDX-License-Identifier: Apache-2.0
#include "erofs/chunk.h"

#include <mutex>
#include <vector>

namespace hrun::erofs {
namespace {

// Chunks between two uses. What a conversion holds at once is bounded by its queues; this many of them stay.
class SpareChunks {
  public:
    std::unique_ptr<Chunk> take() {
        std::lock_guard lock(mutex_);
        if (chunks_.empty())
            return nullptr;
        std::unique_ptr<Chunk> chunk = std::move(chunks_.back());
        chunks_.pop_back();
        return chunk;
    }

    void give(std::unique_ptr<Chunk> chunk) {
        std::lock_guard lock(mutex_);
        if (chunks_.size() < kMostSpare)
            chunks_.push_back(std::move(chunk));
    }

  private:
    static constexpr size_t kMostSpare = 32; // 8 MiB

    std::mutex mutex_;
    std::vector<std::unique_ptr<Chunk>> chunks_;
};

// Never destroyed: a thread may still let a chunk go while the process exits.
SpareChunks& spare_chunks() {
    static auto* const spare = new SpareChunks;
    return *spare;
}

} // namespace

ChunkPtr new_chunk() {
    std::unique_ptr<Chunk> chunk = spare_chunks().take();
    if (!chunk)
        chunk = std::make_unique_for_overwrite<Chunk>();
    chunk->size = 0;
    return ChunkPtr(chunk.release(), [](Chunk* used) { spare_chunks().give(std::unique_ptr<Chunk>(used)); });
}

} // namespace hrun::erofs
