// SPDX-License-Identifier: Apache-2.0
// Writes all directories once the tree is final: their inodes with inline tails first, then their full
// blocks, each region in one sweep, parents before children.
#pragma once

#include "erofs/dirent_block.h"
#include "erofs/file_writer.h"
#include "erofs/image_file.h"
#include "erofs/tree.h"

namespace hrun::erofs {

// The root's inode, at a place that the superblock's 16-bit root_nid reaches: behind the superblock.
constexpr uint32_t kRootOffset = kSuperblockOffset + sizeof(Superblock);

class DirectoryWriter {
  public:
    // `keep_whiteouts` is false when nothing lies below the image. All whiteouts share the inode `whiteout_nid`.
    DirectoryWriter(Tree& tree, ImageFile& image, FileWriter& files, bool keep_whiteouts,
                    uint64_t whiteout_nid)
        : tree_(tree), image_(image), files_(files), keep_whiteouts_(keep_whiteouts),
          whiteout_nid_(whiteout_nid) {}

    // Writes everything; `first_block` (the block of the superblock) gets the root's inode.
    Result<void> write(std::vector<uint8_t>& first_block);

  private:
    struct Plan {
        NodeId id;
        uint64_t offset;     // of the inode in the image
        uint64_t bytes;      // of content
        uint32_t data_block; // relative until all inodes are placed
        bool inline_tail;
    };
    class Region;

    void order_directories();
    Result<void> plan();
    Result<void> plan_one(Plan& plan, uint64_t& cursor, uint32_t& blocks);
    Result<void> write_one(const Plan& plan, Region& inodes, Region& data, std::vector<uint8_t>& first_block);
    void list(NodeId id);
    Result<std::string> xattrs_of(NodeId id);

    Tree& tree_;
    ImageFile& image_;
    FileWriter& files_;
    const bool keep_whiteouts_;
    const uint64_t whiteout_nid_;
    std::vector<Plan> plans_;
    std::vector<DirEntry> entries_;         // of the directory at hand
    std::vector<uint8_t> record_, content_; // of the directory at hand
};

} // namespace hrun::erofs
