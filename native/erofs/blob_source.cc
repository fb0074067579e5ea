// SPDX-License-Identifier: Apache-2.0
#include "erofs/blob_source.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "erofs/layer_error.h"

namespace hrun::erofs {

Result<ChunkPtr> FileBlobSource::next() {
    if (left_ == 0)
        return ChunkPtr();
    ChunkPtr chunk = new_chunk();
    const size_t want = std::min<uint64_t>(left_, kChunkBytes);
    while (chunk->size < want) {
        const ssize_t got = ::pread(fd_, chunk->data + chunk->size, want - chunk->size,
                                    static_cast<off_t>(offset_ + chunk->size));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return Error::last("read the layer's blob");
        if (got == 0)
            return corrupt("the blob is " + std::to_string(left_ - chunk->size) +
                           " bytes shorter than it should be");
        chunk->size += static_cast<size_t>(got);
    }
    offset_ += want;
    left_ -= want;
    return chunk;
}

size_t FedBlobSource::offer(const uint8_t* data, size_t size) {
    std::lock_guard lock(mutex_);
    size_t taken = 0;
    while (taken < size && full_.size() < kMaxQueued && !cancelled_) {
        if (!filling_)
            filling_ = new_chunk();
        const size_t part = std::min(size - taken, kChunkBytes - filling_->size);
        memcpy(filling_->data + filling_->size, data + taken, part);
        filling_->size += part;
        taken += part;
        if (filling_->size == kChunkBytes) {
            full_.push_back(std::move(filling_));
            filled_.notify_one();
        }
    }
    starved_feeder_ = taken < size;
    return taken;
}

void FedBlobSource::end() {
    std::lock_guard lock(mutex_);
    ended_ = true;
    filled_.notify_one();
}

Result<ChunkPtr> FedBlobSource::next() {
    ChunkPtr chunk;
    bool tell = false;
    {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [&] { return cancelled_ || ended_ || !full_.empty(); });
        if (cancelled_)
            return aborted();
        if (full_.empty())
            return std::move(filling_); // the last, partial chunk; then null
        chunk = std::move(full_.front());
        full_.pop_front();
        tell = starved_feeder_ && full_.size() <= kMaxQueued / 2;
        if (tell)
            starved_feeder_ = false;
    }
    if (tell && on_room_)
        on_room_();
    return chunk;
}

void FedBlobSource::cancel() {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    filled_.notify_all();
}

} // namespace hrun::erofs
