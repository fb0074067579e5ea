// SPDX-License-Identifier: Apache-2.0
// Places inodes, with their xattrs and inline tails, in segments of metadata blocks, so that what a
// directory walk reads lies close together and not between the files' data.
#pragma once

#include <span>
#include <vector>

#include "erofs/image_file.h"

namespace hrun::erofs {

class MetadataArea {
  public:
    explicit MetadataArea(ImageFile& image) : image_(image) {}

    // Writes a record that starts with an inode and returns its byte offset, a multiple of kSlotBytes.
    // A record of up to a block never crosses a block boundary (inline data must not).
    Result<uint64_t> place(std::span<const uint8_t> record);

    // Writes the open segment out. Its unused blocks go back if they are the image's last.
    Result<void> finish();

  private:
    // Segments grow, so that a layer of three files stays small.
    static constexpr uint32_t kFirstSegmentBlocks = 4, kMaxSegmentBlocks = 64;

    Result<uint64_t> place_large(std::span<const uint8_t> record);
    Result<void> open_segment();
    Result<void> write_segment();
    bool find_room(size_t size, uint32_t& block);

    ImageFile& image_;
    std::vector<uint8_t> segment_; // bytes of the open segment
    std::vector<uint32_t> used_;   // bytes used of each of its blocks
    uint32_t first_block_ = 0;     // of the open segment
    uint32_t first_free_ = 0;      // blocks before it are full
    uint32_t next_blocks_ = kFirstSegmentBlocks;
};

} // namespace hrun::erofs
