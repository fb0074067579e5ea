// SPDX-License-Identifier: Apache-2.0
// One EROFS image from one or more layers' tars, lowest first.
#pragma once

#include <array>

#include "erofs/digest.h"
#include "erofs/directory_join.h"
#include "erofs/layer_applier.h"

namespace hrun::erofs {

class ImageBuilder {
  public:
    // The image goes to `fd`, which is emptied first and stays the caller's.
    ImageBuilder(int fd, const Limits& limits, bool bottom);

    // Applies one layer. `path` is set to the entry at which it failed.
    Result<void> apply(ByteSource& tar, std::string& path);

    // Adds directories that no tar describes.
    void graft(const JoinedDirectory& root) { graft_at(kRootNode, root); }

    // Writes the directories and, last of all, the superblock. The image's UUID comes from `identity`.
    // Returns the image's bytes.
    Result<uint64_t> finish(const Sha256& identity);

    uint64_t entries() const { return applier_.entries(); }

  private:
    Result<void> begin();
    void graft_at(NodeId id, const JoinedDirectory& from);
    Result<uint64_t> write_whiteout();
    Result<void> patch_links();
    Result<void> write_superblock(const Sha256& identity, std::vector<uint8_t>& first_block);
    uint64_t inode_count();

    const Limits& limits_;
    ImageFile image_;
    LayerTree layers_;
    FileWriter files_;
    LayerApplier applier_;
    bool begun_ = false;
    uint32_t whiteouts_ = 0;
};

} // namespace hrun::erofs
