// SPDX-License-Identifier: Apache-2.0
#include "erofs/image_file.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "erofs/layer_error.h"

namespace hrun::erofs {
namespace {

constexpr char kWriting[] = "write the EROFS image";

} // namespace

Result<void> ImageFile::reset() {
    if (::ftruncate(fd_, 0) < 0)
        return Error::last(kWriting);
    return {};
}

Result<uint32_t> ImageFile::allocate(uint64_t count) {
    if (count >= kNullBlock - next_block_)
        return over_limit("an image of more than 16 TiB");
    uint32_t first = next_block_;
    next_block_ += static_cast<uint32_t>(count);
    return first;
}

Result<void> ImageFile::append(uint64_t offset, Slice slice) {
    if (vectors_.empty())
        queue_offset_ = offset;
    if (offset != queue_offset_ + queued_bytes_) {
        HRUN_TRY(flush());
        queue_offset_ = offset;
    }
    vectors_.push_back({const_cast<uint8_t*>(slice.data), slice.size});
    queued_bytes_ += slice.size;
    if (slice.owner && (pinned_.empty() || pinned_.back() != slice.owner))
        pinned_.push_back(std::move(slice.owner));
    if (queued_bytes_ >= kMaxQueuedBytes || vectors_.size() >= kMaxQueuedSlices ||
        pinned_.size() > kMaxPinnedChunks)
        return flush();
    return {};
}

Result<void> ImageFile::flush() {
    iovec* vector = vectors_.data();
    size_t count = vectors_.size();
    while (count > 0) {
        ssize_t put = ::pwritev(fd_, vector, static_cast<int>(count), static_cast<off_t>(queue_offset_));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return Error::last(kWriting);
        queue_offset_ += static_cast<uint64_t>(put);
        for (; count > 0 && static_cast<size_t>(put) >= vector->iov_len; vector++, count--)
            put -= static_cast<ssize_t>(vector->iov_len);
        if (count > 0) {
            vector->iov_base = static_cast<uint8_t*>(vector->iov_base) + put;
            vector->iov_len -= static_cast<size_t>(put);
        }
    }
    vectors_.clear();
    pinned_.clear();
    queued_bytes_ = 0;
    return {};
}

Result<void> ImageFile::write(uint64_t offset, std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return Error::last(kWriting);
        bytes = bytes.subspan(static_cast<size_t>(put));
        offset += static_cast<uint64_t>(put);
    }
    return {};
}

Result<void> ImageFile::discard(uint32_t block, uint32_t count) {
    HRUN_TRY(flush());
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    const off_t offset = static_cast<off_t>(block) << kBlockBits, length = static_cast<off_t>(count)
                                                                           << kBlockBits;
    if (::fallocate(fd_, mode, offset, length) < 0 && errno != EOPNOTSUPP && errno != EINTR)
        return Error::last(kWriting);
    return {};
}

Result<void> ImageFile::finish() {
    HRUN_TRY(flush());
    if (::ftruncate(fd_, static_cast<off_t>(next_block_) << kBlockBits) < 0)
        return Error::last(kWriting);
    return {};
}

} // namespace hrun::erofs
