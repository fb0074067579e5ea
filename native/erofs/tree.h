// SPDX-License-Identifier: Apache-2.0
// The inode table: the names, links and directories of the image while layers are applied. File data
// never pass through here; a file's inode is on the disk by the time it has a name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "erofs/layout.h"
#include "erofs/name_index.h"
#include "erofs/tar_entry.h"

namespace hrun::erofs {

using NodeId = uint32_t; // a name in a directory
constexpr NodeId kNoNode = NameIndex::kNone;
constexpr NodeId kRootNode = 0;

enum class NodeKind : uint8_t { kRemoved, kDirectory, kFile, kSymlink, kDevice, kWhiteout };

// An inode that is on the disk already, and how many names it has.
struct StoredInode {
    uint64_t nid = 0;
    uint32_t links = 0;
    uint32_t links_on_disk = 1;
    uint32_t first_block = 0, blocks = 0; // its data, discarded with its last name
    FileType type = FileType::kRegular;
};

// A directory; it gets its inode when all layers are applied.
struct Directory {
    Metadata metadata;      // xattrs are in `xattrs`
    std::string xattrs;     // encoded entries
    bool opaque = false;    // hides what lower layers have in it
    bool implied = false;   // no layer said anything about it but that it has contents
    uint16_t own_layer = 0; // the last layer whose lower layers have no names left in it
    NodeId first_child = kNoNode;
    uint32_t children = 0, subdirectories = 0, whiteouts = 0;
    uint64_t nid = 0;
};

struct Node {
    NodeId parent = kNoNode, next = kNoNode, previous = kNoNode; // siblings
    uint32_t name_at = 0;                                        // in the names' text
    uint32_t target_at = 0;                                      // of a symlink, in the names' text
    uint32_t inode = 0;                                          // index of a StoredInode or a Directory
    uint16_t layer = 0;       // the last layer that named it or something below it
    uint16_t born = 0;        // the layer that first had this name
    uint16_t target_size = 0; // of a symlink
    uint8_t name_size = 0;
    NodeKind kind = NodeKind::kRemoved;
    bool hides_lower = false; // stands where a lower layer's file or whiteout was: a directory here is opaque
};

class Tree {
  public:
    Tree();

    Node& node(NodeId id) { return nodes_[id]; }
    const Node& node(NodeId id) const { return nodes_[id]; }
    Directory& directory(NodeId id) { return directories_[nodes_[id].inode]; }
    StoredInode& inode(NodeId id) { return inodes_[nodes_[id].inode]; }
    std::vector<StoredInode>& inodes() { return inodes_; }
    size_t directory_count() const { return live_directories_; }
    uint32_t whiteout_count() const { return live_whiteouts_; }

    std::string_view name(NodeId id) const;
    std::string_view target(NodeId id) const;
    // kNoNode if there is none.
    NodeId child(NodeId directory, std::string_view name) const;
    std::vector<NodeId> children(NodeId directory) const;

    // A new name in `parent`, which must not have it yet. The caller sets the kind by one of the next.
    NodeId add(NodeId parent, std::string_view name, uint16_t layer);
    // What the node is from now on; it must be kRemoved, as add() and clear() leave it.
    Directory& make_directory(NodeId id);
    void make_stored(NodeId id, NodeKind kind, const StoredInode& inode);
    void make_link(NodeId id, NodeId to);
    void make_whiteout(NodeId id);
    void set_target(NodeId id, std::string_view target);

    // Empties the node but keeps its name. A directory must have no children left.
    void clear(NodeId id);
    // Takes the (cleared) node out of its directory.
    void unlink(NodeId id);

    // Bytes of names and link targets held, for max_table_bytes.
    size_t text_bytes() const { return text_.size(); }

  private:
    uint32_t keep_text(std::string_view text);
    Directory& parent_directory(NodeId id) { return directory(nodes_[id].parent); }

    std::vector<Node> nodes_;
    std::vector<StoredInode> inodes_;
    std::vector<Directory> directories_;
    std::string text_;
    NameIndex index_;
    size_t live_directories_ = 0;
    uint32_t live_whiteouts_ = 0;
};

} // namespace hrun::erofs
