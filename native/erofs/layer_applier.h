// SPDX-License-Identifier: Apache-2.0
// Applies the entries of one layer's tar to the tree and writes their inodes and data.
#pragma once

#include "erofs/file_writer.h"
#include "erofs/layer_tree.h"
#include "erofs/path_resolver.h"
#include "erofs/tar_reader.h"

namespace hrun::erofs {

class LayerApplier {
  public:
    LayerApplier(LayerTree& layers, FileWriter& files, const Limits& limits)
        : layers_(layers), tree_(layers.tree()), files_(files), limits_(limits), resolver_(layers, limits) {}

    // Reads the whole tar as the next layer up.
    Result<void> apply(TarReader& tar);
    // Hard links left out because their targets can only be in lower layers.
    uint64_t unresolved_links() const { return unresolved_links_; }
    // Tar entries applied so far, of all layers.
    uint64_t entries() const { return entries_; }

  private:
    Result<void> apply_entry(TarReader& tar, TarEntry& entry);
    Result<void> apply_root(TarEntry& entry);
    Result<void> apply_plain(TarReader& tar, TarEntry& entry, NodeId parent, std::string_view name);
    Result<void> apply_directory(TarEntry& entry, NodeId parent, std::string_view name);
    Result<void> apply_symlink(const TarEntry& entry, NodeId parent, std::string_view name);
    Result<void> apply_hard_link(const TarEntry& entry, NodeId parent, std::string_view name);
    Result<void> apply_device(const TarEntry& entry, uint16_t type, NodeId parent, std::string_view name);
    Result<void> set_directory(NodeId id, TarEntry& entry);
    Result<NodeId> store(NodeId parent, std::string_view name, NodeKind kind, Result<StoredInode> inode);

    LayerTree& layers_;
    Tree& tree_;
    FileWriter& files_;
    const Limits& limits_;
    PathResolver resolver_;
    uint64_t entries_ = 0, xattr_bytes_ = 0, unresolved_links_ = 0;
};

} // namespace hrun::erofs
