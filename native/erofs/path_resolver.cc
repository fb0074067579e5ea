// SPDX-License-Identifier: Apache-2.0
#include "erofs/path_resolver.h"

#include <algorithm>
#include <forward_list>
#include <string>

#include "erofs/layer_error.h"

namespace hrun::erofs {
namespace {

constexpr int kMaxLinks = 40; // MAXSYMLINKS

} // namespace

// Components still to go are kept in reverse: the next one is at the back.
struct PathResolver::Walk {
    std::vector<std::string_view> left;
    std::forward_list<std::string> targets; // what the views of followed links point into
    NodeId at = kRootNode;
    uint64_t depth = 0;
    int links = 0;

    explicit Walk(const std::vector<std::string_view>& components)
        : left(components.rbegin(), components.rend()) {}

    // False once the walk is over; "..", which only link targets have, is dealt with here.
    bool next(const Tree& tree, std::string_view& component) {
        while (!left.empty()) {
            component = left.back();
            left.pop_back();
            if (component != "..")
                return true;
            depth -= at == kRootNode ? 0 : 1;
            at = tree.node(at).parent;
        }
        return false;
    }
    void descend(NodeId id) {
        at = id;
        depth++;
    }
};

// Puts the link's target in front of what is left.
Result<void> PathResolver::follow(Walk& walk, NodeId link) {
    if (++walk.links > kMaxLinks)
        return corrupt("too many levels of symbolic links");
    std::string_view target = walk.targets.emplace_front(tree_.target(link));
    if (target.starts_with('/')) {
        walk.at = kRootNode;
        walk.depth = 0;
    }
    std::vector<std::string_view> components;
    while (!target.empty()) {
        const size_t slash = std::min(target.find('/'), target.size());
        const std::string_view component = target.substr(0, slash);
        target.remove_prefix(std::min(slash + 1, target.size()));
        if (!component.empty() && component != ".")
            components.push_back(component);
    }
    link_steps_ += components.size() + 1;
    if (link_steps_ > limits_.max_link_steps)
        return over_limit("more than " + std::to_string(limits_.max_link_steps) +
                          " steps through symbolic links");
    walk.left.insert(walk.left.end(), components.rbegin(), components.rend());
    return {};
}

Result<NodeId> PathResolver::make_parents(const std::vector<std::string_view>& directories) {
    Walk walk(directories);
    std::string_view component;
    while (walk.next(tree_, component))
        HRUN_TRY(step(walk, component));
    return walk.at;
}

Result<void> PathResolver::step(Walk& walk, std::string_view component) {
    const NodeId child = tree_.child(walk.at, component);
    const bool own = child != kNoNode && layers_.names(child);
    if (own && tree_.node(child).kind == NodeKind::kSymlink)
        return follow(walk, child);
    if (walk.depth >= limits_.max_depth)
        return over_limit("a path of more than " + std::to_string(limits_.max_depth) + " components");
    if (own && tree_.node(child).kind != NodeKind::kDirectory &&
        tree_.node(child).kind != NodeKind::kWhiteout)
        return corrupt(std::string(component) + " is not a directory");
    Result<NodeId> directory = layers_.enter(walk.at, component);
    if (!directory)
        return directory.error();
    walk.descend(*directory);
    return {};
}

Result<NodeId> PathResolver::find(const std::vector<std::string_view>& components) {
    Walk walk(components);
    std::string_view component;
    while (walk.next(tree_, component)) {
        const NodeId child = tree_.child(walk.at, component);
        if (child == kNoNode || walk.left.empty())
            return child;
        if (tree_.node(child).kind == NodeKind::kSymlink)
            HRUN_TRY(follow(walk, child));
        else if (tree_.node(child).kind == NodeKind::kDirectory)
            walk.descend(child);
        else
            return kNoNode;
    }
    return walk.at;
}

} // namespace hrun::erofs
