// SPDX-License-Identifier: Apache-2.0
// The image being written: blocks are given out in ascending order, file data goes from the tar's own
// buffers to the file in few large writes.
#pragma once

#include <sys/uio.h>

#include <span>
#include <vector>

#include "base/result.h"
#include "erofs/chunk.h"
#include "erofs/layout.h"

namespace hrun::erofs {

class ImageFile {
  public:
    explicit ImageFile(int fd) : fd_(fd) {}

    // Empties the file: whatever is not written reads as zero.
    Result<void> reset();

    // Reserves `count` blocks in a row and returns the first. kLayerLimit past 16 TiB, the reach of a
    // 32-bit block address.
    Result<uint32_t> allocate(uint64_t count);
    // Gives back everything from `block` on, which was the last to be allocated.
    void release_from(uint32_t block) { next_block_ = block; }
    uint32_t next_block() const { return next_block_; }

    // Queues bytes to be written at `offset`; they are on their way at the latest after flush().
    Result<void> append(uint64_t offset, Slice slice);
    Result<void> flush();

    // Writes at once.
    Result<void> write(uint64_t offset, std::span<const uint8_t> bytes);

    // Lets go of blocks that nothing refers to any more; they read as zero.
    Result<void> discard(uint32_t block, uint32_t count);

    // Writes what is queued and sets the file's size to all blocks allocated.
    Result<void> finish();

  private:
    static constexpr size_t kMaxQueuedBytes = 1024 * 1024, kMaxQueuedSlices = 512, kMaxPinnedChunks = 8;

    int fd_;
    uint32_t next_block_ = 0;
    uint64_t queue_offset_ = 0; // where the queued bytes begin
    size_t queued_bytes_ = 0;
    std::vector<iovec> vectors_;
    std::vector<ChunkPtr> pinned_; // owners of the queued bytes
};

} // namespace hrun::erofs
