// SPDX-License-Identifier: Apache-2.0
// Reads the directories of an image that the converter made. The file may have been damaged since: every
// length and address is checked.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "erofs/layout.h"
#include "erofs/tar_entry.h"

namespace hrun::erofs {

struct ImageEntry {
    std::string name;
    uint64_t nid = 0;
    FileType type = FileType::kRegular;
};

struct ImageDirectory {
    Metadata metadata;    // without xattrs
    std::string xattrs;   // encoded entries, overlayfs's own left out
    bool implied = false; // the layer had no entry of its own for it
    bool opaque = false;
};

class ImageReader {
  public:
    // The descriptor stays the caller's. kLayerCorrupt if it holds no image of ours.
    static Result<ImageReader> open(int fd);

    uint64_t root() const { return superblock_.root_nid; }
    const Superblock& superblock() const { return superblock_; }

    Result<ImageDirectory> directory(uint64_t nid) const;
    // All but "." and "..".
    Result<std::vector<ImageEntry>> entries(uint64_t nid) const;

  private:
    explicit ImageReader(int fd) : fd_(fd) {}
    Result<void> read(uint64_t offset, void* to, size_t size) const;
    Result<Inode> directory_inode(uint64_t nid) const;
    Result<std::string> content(uint64_t nid, const Inode& inode) const;

    int fd_;
    Superblock superblock_{};
};

} // namespace hrun::erofs
