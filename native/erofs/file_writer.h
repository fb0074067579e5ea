// SPDX-License-Identifier: Apache-2.0
// One inode that is not a directory goes to the disk as its bytes arrive: whole blocks straight from the
// stream into consecutive blocks, the tail behind the inode.
#pragma once

#include <functional>
#include <string_view>

#include "erofs/image_file.h"
#include "erofs/inode_record.h"
#include "erofs/metadata_area.h"
#include "erofs/tar_entry.h"
#include "erofs/tree.h"

namespace hrun::erofs {

class FileWriter {
  public:
    // Yields the file's next bytes, an empty slice after the last.
    using Read = std::function<Result<Slice>()>;

    explicit FileWriter(ImageFile& image) : image_(image), metadata_(image) {}

    // A regular file, sparse or not. Its data come from `read`.
    Result<StoredInode> write_file(const TarEntry& entry, const std::string& xattr_body, const Read& read);
    Result<StoredInode> write_symlink(const Metadata& metadata, const std::string& xattr_body,
                                      std::string_view target);
    // A device or a fifo: `type` is S_IFCHR, S_IFBLK or S_IFIFO.
    Result<StoredInode> write_special(const Metadata& metadata, const std::string& xattr_body, uint16_t type,
                                      uint32_t device);

    bool wrote_chunks() const { return wrote_chunks_; }
    uint32_t next_ino() { return ++last_ino_; }
    // Writes out the metadata that is still in memory.
    Result<void> finish() { return metadata_.finish(); }

  private:
    struct Placement {
        uint32_t first_block = 0, blocks = 0;
        size_t tail_bytes = 0; // behind the inode
    };

    Result<Placement> place_data(uint64_t size, size_t head_bytes);
    Result<void> write_flat(const TarEntry& entry, const Placement& placement, const Read& read);
    Result<StoredInode> write_sparse(const TarEntry& entry, const std::string& xattr_body, const Read& read);
    Result<void> write_extent(uint64_t at, uint64_t length, Slice& current, const Read& read);
    Result<StoredInode> place_record(const Placement& placement, FileType type);
    Result<void> append_padding(uint64_t end);

    ImageFile& image_;
    MetadataArea metadata_;
    std::vector<uint8_t> record_, tail_;
    uint32_t last_ino_ = 0;
    bool wrote_chunks_ = false;
};

} // namespace hrun::erofs
