// SPDX-License-Identifier: Apache-2.0
#include "erofs/metadata_area.h"

#include <algorithm>
#include <cstring>

namespace hrun::erofs {

Result<uint64_t> MetadataArea::place(std::span<const uint8_t> record) {
    if (record.size() > kBlockBytes)
        return place_large(record);
    uint32_t block = 0;
    if (!find_room(record.size(), block)) {
        HRUN_TRY(open_segment());
        block = 0;
    }
    const uint64_t at = static_cast<uint64_t>(block) * kBlockBytes + used_[block];
    memcpy(segment_.data() + at, record.data(), record.size());
    used_[block] += static_cast<uint32_t>(round_up(record.size(), kSlotBytes));
    while (first_free_ < used_.size() && kBlockBytes - used_[first_free_] < sizeof(Inode))
        first_free_++;
    return (static_cast<uint64_t>(first_block_) << kBlockBits) + at;
}

// First fit: small records fill the gaps that long tails leave.
bool MetadataArea::find_room(size_t size, uint32_t& block) {
    for (block = first_free_; block < used_.size(); block++)
        if (kBlockBytes - used_[block] >= size)
            return true;
    return false;
}

// Large xattrs and the chunk maps of sparse files get blocks of their own.
Result<uint64_t> MetadataArea::place_large(std::span<const uint8_t> record) {
    Result<uint32_t> block = image_.allocate(round_up(record.size(), kBlockBytes) >> kBlockBits);
    if (!block)
        return block.error();
    const uint64_t offset = static_cast<uint64_t>(*block) << kBlockBits;
    HRUN_TRY(image_.write(offset, record));
    return offset;
}

Result<void> MetadataArea::open_segment() {
    HRUN_TRY(write_segment());
    Result<uint32_t> block = image_.allocate(next_blocks_);
    if (!block)
        return block.error();
    first_block_ = *block;
    first_free_ = 0;
    segment_.assign(static_cast<size_t>(next_blocks_) * kBlockBytes, 0);
    used_.assign(next_blocks_, 0);
    next_blocks_ = std::min(next_blocks_ * 2, kMaxSegmentBlocks);
    return {};
}

// Blocks not begun stay holes.
Result<void> MetadataArea::write_segment() {
    const auto begun = static_cast<size_t>(std::find(used_.begin(), used_.end(), 0u) - used_.begin());
    return image_.write(static_cast<uint64_t>(first_block_) << kBlockBits,
                        std::span(segment_).first(begun * kBlockBytes));
}

Result<void> MetadataArea::finish() {
    HRUN_TRY(write_segment());
    const auto begun = static_cast<uint32_t>(std::find(used_.begin(), used_.end(), 0u) - used_.begin());
    if (first_block_ + used_.size() == image_.next_block() && !used_.empty())
        image_.release_from(first_block_ + begun);
    used_.clear();
    segment_.clear();
    return {};
}

} // namespace hrun::erofs
