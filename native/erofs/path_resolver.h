// SPDX-License-Identifier: Apache-2.0
// Finds the directory that a path's last component stands in, inside the image.
#pragma once

#include <string_view>
#include <vector>

#include "erofs/layer_tree.h"
#include "erofs/limits.h"

namespace hrun::erofs {

class PathResolver {
  public:
    PathResolver(LayerTree& layers, const Limits& limits)
        : layers_(layers), tree_(layers.tree()), limits_(limits) {}

    // Symbolic links of the layer itself are followed, never out of the root. One of a lower layer is not: a
    // layer that has "lib/x" has a directory "lib" of its own, as on every overlay (docs/layers.md).
    // Directories that are missing are made (implied).
    Result<NodeId> make_parents(const std::vector<std::string_view>& directories);

    // The node of a path, or kNoNode. Follows all symbolic links but the last component.
    Result<NodeId> find(const std::vector<std::string_view>& components);

    // A new layer has a new budget of links to follow.
    void begin_layer() { link_steps_ = 0; }

  private:
    struct Walk;
    Result<void> step(Walk& walk, std::string_view component);
    Result<void> follow(Walk& walk, NodeId link);

    LayerTree& layers_;
    Tree& tree_;
    const Limits& limits_;
    uint64_t link_steps_ = 0;
};

} // namespace hrun::erofs
