// SPDX-License-Identifier: Apache-2.0
// Where a layer's compressed bytes come from: a descriptor, or a caller who feeds them as they arrive.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "base/result.h"
#include "erofs/chunk.h"

namespace hrun::erofs {

class BlobSource {
  public:
    virtual ~BlobSource() = default;
    // The next bytes, or null at the end. Every chunk but the last is full.
    virtual Result<ChunkPtr> next() = 0;
    // Makes next() fail from now on, from any thread.
    virtual void cancel() = 0;
};

// `length` bytes of a file from `offset`. The descriptor stays the caller's.
class FileBlobSource : public BlobSource {
  public:
    FileBlobSource(int fd, uint64_t offset, uint64_t length) : fd_(fd), offset_(offset), left_(length) {}
    Result<ChunkPtr> next() override;
    void cancel() override {}

  private:
    int fd_;
    uint64_t offset_, left_;
};

// Fed by another thread, which is told when to stop and when to go on.
class FedBlobSource : public BlobSource {
  public:
    // Called on the reading thread each time there is room again after offer() took less than all.
    void on_room(std::function<void()> callback) { on_room_ = std::move(callback); }

    // Copies what there is room for and returns how many bytes that was. Never waits.
    size_t offer(const uint8_t* data, size_t size);
    // No more bytes will come.
    void end();

    Result<ChunkPtr> next() override;
    void cancel() override;

  private:
    static constexpr size_t kMaxQueued = 16; // chunks: 4 MiB

    std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<ChunkPtr> full_;
    ChunkPtr filling_;
    bool ended_ = false, cancelled_ = false, starved_feeder_ = false;
    std::function<void()> on_room_;
};

} // namespace hrun::erofs
