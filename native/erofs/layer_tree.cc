// SPDX-License-Identifier: Apache-2.0
#include "erofs/layer_tree.h"

#include "erofs/layer_error.h"

namespace hrun::erofs {

void LayerTree::begin_layer() {
    layer_++;
    entries_ = 0;
    tree_.node(kRootNode).layer = layer_;
}

Result<void> LayerTree::count_entry() {
    if (++entries_ > limits_.max_entries)
        return over_limit("more than " + std::to_string(limits_.max_entries) + " entries in the layer");
    if (tree_.text_bytes() > limits_.max_table_bytes)
        return over_limit("more than " + std::to_string(limits_.max_table_bytes) + " bytes of names");
    return {};
}

Result<NodeId> LayerTree::take(NodeId parent, std::string_view name) {
    NodeId id = tree_.child(parent, name);
    if (id == kNoNode)
        return tree_.add(parent, name, layer_);
    Node& node = tree_.node(id);
    node.hides_lower |= node.kind == NodeKind::kWhiteout || node.born != layer_;
    node.layer = layer_;
    HRUN_TRY(clear(id));
    return id;
}

Result<NodeId> LayerTree::put_directory(NodeId parent, std::string_view name) {
    const NodeId existing = tree_.child(parent, name);
    if (existing != kNoNode && tree_.node(existing).kind == NodeKind::kDirectory) {
        tree_.node(existing).layer = layer_;
        return existing;
    }
    Result<NodeId> id = take(parent, name);
    if (!id)
        return id;
    Directory& directory = tree_.make_directory(*id);
    directory.opaque = tree_.node(*id).hides_lower;
    directory.own_layer = layer_;
    return id;
}

Result<NodeId> LayerTree::enter(NodeId parent, std::string_view name) {
    const size_t before = tree_.directory_count();
    Result<NodeId> id = put_directory(parent, name);
    if (!id || tree_.directory_count() == before)
        return id;
    tree_.directory(*id).implied = true;
    tree_.directory(*id).metadata.permissions = 0755;
    HRUN_TRY(count_entry());
    return id;
}

Result<void> LayerTree::white_out(NodeId parent, std::string_view name) {
    const NodeId existing = tree_.child(parent, name);
    if (existing != kNoNode && names(existing)) {
        tree_.node(existing).hides_lower = true;
        return tree_.node(existing).kind == NodeKind::kDirectory ? make_opaque(existing) : Result<void>();
    }
    if (existing == kNoNode && bottom_)
        return {};
    Result<NodeId> id = take(parent, name);
    if (!id)
        return id.error();
    if (bottom_)
        tree_.unlink(*id);
    else
        tree_.make_whiteout(*id);
    return {};
}

Result<void> LayerTree::make_opaque(NodeId directory) {
    tree_.directory(directory).opaque = true;
    return remove_lower(directory);
}

Result<void> LayerTree::clear(NodeId id) {
    if (tree_.node(id).kind == NodeKind::kDirectory)
        HRUN_TRY(remove_all(id));
    const bool stored = tree_.node(id).kind != NodeKind::kDirectory &&
                        tree_.node(id).kind != NodeKind::kWhiteout &&
                        tree_.node(id).kind != NodeKind::kRemoved;
    tree_.clear(id);
    if (!stored || tree_.inode(id).links > 0 || tree_.inode(id).blocks == 0)
        return {};
    return image_.discard(tree_.inode(id).first_block, tree_.inode(id).blocks);
}

// Depth is bounded by max_depth, so is the recursion.
Result<void> LayerTree::remove_all(NodeId directory) {
    for (NodeId child : tree_.children(directory)) {
        HRUN_TRY(clear(child));
        tree_.unlink(child);
    }
    return {};
}

// Removes what the current layer does not name. Each directory is gone through once per layer, however
// many whiteouts ask for it.
Result<void> LayerTree::remove_lower(NodeId directory) {
    if (std::exchange(tree_.directory(directory).own_layer, layer_) == layer_)
        return {};
    for (NodeId child : tree_.children(directory))
        if (!names(child)) {
            HRUN_TRY(clear(child));
            tree_.unlink(child);
        } else if (tree_.node(child).kind == NodeKind::kDirectory) {
            HRUN_TRY(remove_lower(child));
        }
    return {};
}

} // namespace hrun::erofs
