// SPDX-License-Identifier: Apache-2.0
#include "erofs/tree.h"

namespace hrun::erofs {

Tree::Tree() {
    nodes_.emplace_back();
    nodes_[kRootNode].parent = kRootNode;
    Directory& root = make_directory(kRootNode);
    root.subdirectories = 0; // it is not a child of itself
    root.implied = true;
}

std::string_view Tree::name(NodeId id) const {
    return std::string_view(text_).substr(nodes_[id].name_at, nodes_[id].name_size);
}

std::string_view Tree::target(NodeId id) const {
    return std::string_view(text_).substr(nodes_[id].target_at, nodes_[id].target_size);
}

NodeId Tree::child(NodeId directory, std::string_view wanted) const {
    return index_.find(index_.hash(directory, wanted),
                       [&](NodeId id) { return nodes_[id].parent == directory && name(id) == wanted; });
}

std::vector<NodeId> Tree::children(NodeId directory) const {
    std::vector<NodeId> ids;
    const Directory& parent = directories_[nodes_[directory].inode];
    ids.reserve(parent.children);
    for (NodeId id = parent.first_child; id != kNoNode; id = nodes_[id].next)
        ids.push_back(id);
    return ids;
}

NodeId Tree::add(NodeId parent, std::string_view name, uint16_t layer) {
    const auto id = static_cast<NodeId>(nodes_.size());
    Node& node = nodes_.emplace_back();
    node.parent = parent;
    node.layer = node.born = layer;
    node.name_size = static_cast<uint8_t>(name.size());
    node.name_at = keep_text(name);
    Directory& directory = parent_directory(id);
    node.next = directory.first_child;
    if (node.next != kNoNode)
        nodes_[node.next].previous = id;
    directory.first_child = id;
    directory.children++;
    index_.insert(index_.hash(parent, name), id);
    return id;
}

Directory& Tree::make_directory(NodeId id) {
    nodes_[id].kind = NodeKind::kDirectory;
    nodes_[id].inode = static_cast<uint32_t>(directories_.size());
    directories_.emplace_back();
    live_directories_++;
    parent_directory(id).subdirectories++;
    return directory(id);
}

void Tree::make_stored(NodeId id, NodeKind kind, const StoredInode& inode) {
    nodes_[id].kind = kind;
    nodes_[id].inode = static_cast<uint32_t>(inodes_.size());
    inodes_.push_back(inode);
    inodes_.back().links = 1;
}

void Tree::make_link(NodeId id, NodeId to) {
    Node& node = nodes_[id];
    const Node& original = nodes_[to];
    node.kind = original.kind;
    node.inode = original.inode;
    node.target_at = original.target_at;
    node.target_size = original.target_size;
    inode(id).links++;
}

void Tree::make_whiteout(NodeId id) {
    nodes_[id].kind = NodeKind::kWhiteout;
    parent_directory(id).whiteouts++;
    live_whiteouts_++;
}

void Tree::set_target(NodeId id, std::string_view target) {
    nodes_[id].target_size = static_cast<uint16_t>(target.size());
    nodes_[id].target_at = keep_text(target);
}

void Tree::clear(NodeId id) {
    switch (nodes_[id].kind) {
    case NodeKind::kDirectory:
        directory(id) = Directory{};
        parent_directory(id).subdirectories--;
        live_directories_--;
        break;
    case NodeKind::kWhiteout:
        parent_directory(id).whiteouts--;
        live_whiteouts_--;
        break;
    case NodeKind::kRemoved:
        break;
    default:
        inode(id).links--;
    }
    nodes_[id].kind = NodeKind::kRemoved;
}

void Tree::unlink(NodeId id) {
    Node& node = nodes_[id];
    Directory& directory = parent_directory(id);
    if (node.previous != kNoNode)
        nodes_[node.previous].next = node.next;
    else
        directory.first_child = node.next;
    if (node.next != kNoNode)
        nodes_[node.next].previous = node.previous;
    directory.children--;
    index_.remove(index_.hash(node.parent, name(id)), id);
}

uint32_t Tree::keep_text(std::string_view text) {
    const auto at = static_cast<uint32_t>(text_.size());
    text_ += text;
    return at;
}

} // namespace hrun::erofs
