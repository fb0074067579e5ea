// SPDX-License-Identifier: Apache-2.0
#include "erofs/tree.h"

#include <doctest/doctest.h>

using namespace hrun::erofs;

TEST_CASE("names come and go without upsetting their siblings") {
    Tree tree;
    const NodeId a = tree.add(kRootNode, "a", 1), b = tree.add(kRootNode, "b", 1),
                 c = tree.add(kRootNode, "c", 1);
    for (NodeId id : {a, b, c})
        tree.make_stored(id, NodeKind::kFile, StoredInode{});
    tree.clear(b);
    tree.unlink(b);
    CHECK(tree.child(kRootNode, "b") == kNoNode);
    CHECK(tree.children(kRootNode) == std::vector<NodeId>{c, a});
    CHECK(tree.child(kRootNode, "a") == a);
}

TEST_CASE("links are counted on the inode they share") {
    Tree tree;
    const NodeId a = tree.add(kRootNode, "a", 1), b = tree.add(kRootNode, "b", 1);
    tree.make_stored(a, NodeKind::kFile, StoredInode{});
    tree.make_link(b, a);
    CHECK(tree.inode(b).links == 2);
    tree.clear(a);
    CHECK(tree.inode(b).links == 1);
}

TEST_CASE("subdirectories and whiteouts are counted where they stand") {
    Tree tree;
    const NodeId d = tree.add(kRootNode, "d", 1);
    tree.make_directory(d);
    tree.make_whiteout(tree.add(d, "w", 1));
    CHECK(tree.directory(kRootNode).subdirectories == 1);
    CHECK(tree.directory(d).whiteouts == 1);
    CHECK(tree.whiteout_count() == 1);
    CHECK(tree.directory_count() == 2);
}
