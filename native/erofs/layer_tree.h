// SPDX-License-Identifier: Apache-2.0
// The tree as one layer changes it: what is replaced, hidden or whited out among the layers below, by the
// rules of the OCI image-spec (layer.md, "Applying Changesets"). A whiteout never touches what its own
// layer holds, wherever in the tar it stands.
#pragma once

#include "erofs/image_file.h"
#include "erofs/limits.h"
#include "erofs/tree.h"

namespace hrun::erofs {

class LayerTree {
  public:
    // `bottom`: nothing lies below the image, so whiteouts have done their work once they are applied.
    LayerTree(ImageFile& image, const Limits& limits, bool bottom)
        : image_(image), limits_(limits), bottom_(bottom) {}

    Tree& tree() { return tree_; }
    bool bottom() const { return bottom_; }

    // The next layer up begins.
    void begin_layer();
    // True if the node, or something below it, is named by the current layer.
    bool names(NodeId id) const { return tree_.node(id).layer == layer_; }

    // Counts a tar entry or an implied directory. kLayerLimit.
    Result<void> count_entry();
    uint64_t entries() const { return entries_; }

    // The name, cleared of whatever it was, for a new file.
    Result<NodeId> take(NodeId parent, std::string_view name);
    // A directory entry: keeps a directory that is there, replaces anything else.
    Result<NodeId> put_directory(NodeId parent, std::string_view name);
    // A directory that is only passed through, made if missing.
    Result<NodeId> enter(NodeId parent, std::string_view name);
    Result<void> white_out(NodeId parent, std::string_view name);
    Result<void> make_opaque(NodeId directory);

  private:
    Result<void> clear(NodeId id);
    Result<void> remove_all(NodeId directory);
    Result<void> remove_lower(NodeId directory);

    ImageFile& image_;
    const Limits& limits_;
    const bool bottom_;
    Tree tree_;
    uint16_t layer_ = 0;
    uint64_t entries_ = 0;
};

} // namespace hrun::erofs
