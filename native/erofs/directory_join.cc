// SPDX-License-Identifier: Apache-2.0
#include "erofs/directory_join.h"

#include <map>
#include <unordered_set>

#include "erofs/layer_error.h"
#include "erofs/limits.h"

namespace hrun::erofs {
namespace {

// One path's directories in the images that contribute to it, topmost first.
struct Stack {
    struct Place {
        size_t image;
        uint64_t nid;
        ImageDirectory directory;
    };
    std::vector<Place> places;
    bool closed = false; // something hides what is below
};

class Joiner {
  public:
    explicit Joiner(const std::vector<ImageReader>& images) : images_(images), seen_(images.size()) {}

    Result<Stack> root_stack() {
        Stack stack;
        for (size_t image = images_.size(); image-- > 0 && !stack.closed;)
            HRUN_TRY(push(stack, image, images_[image].root()));
        return stack;
    }

    // Where only one image has the directory there is nothing to join.
    Result<std::optional<JoinedDirectory>> visit(const std::string& name, const Stack& stack,
                                                 uint64_t depth) {
        if (depth > Limits{}.max_depth)
            return corrupt("the layer's EROFS image is damaged");
        std::optional<JoinedDirectory> joined;
        if (stack.places.size() < 2)
            return joined;
        size_t speaker = 0;
        while (speaker < stack.places.size() && stack.places[speaker].directory.implied)
            speaker++;
        const bool spoken = speaker < stack.places.size();
        JoinedDirectory result{name, stack.places[spoken ? speaker : 0].directory, {}};
        HRUN_TRY(visit_below(stack, result, depth));
        if ((spoken && speaker > 0) || !result.below.empty())
            joined = std::move(result);
        return joined;
    }

  private:
    // A directory has one name, so a damaged image cannot lead in circles.
    Result<void> push(Stack& stack, size_t image, uint64_t nid) {
        if (!seen_[image].insert(nid).second)
            return corrupt("the layer's EROFS image is damaged");
        Result<ImageDirectory> directory = images_[image].directory(nid);
        if (!directory)
            return directory.error();
        stack.closed = directory->opaque;
        stack.places.push_back({image, nid, std::move(*directory)});
        return {};
    }

    Result<void> visit_below(const Stack& stack, JoinedDirectory& result, uint64_t depth) {
        std::map<std::string, Stack> children;
        for (const Stack::Place& place : stack.places)
            HRUN_TRY(add_children(place, children));
        for (auto& [name, child] : children) {
            Result<std::optional<JoinedDirectory>> joined = visit(name, child, depth + 1);
            if (!joined)
                return joined.error();
            if (*joined)
                result.below.push_back(std::move(**joined));
        }
        return {};
    }

    // A file or whiteout hides what lower images have under its name.
    Result<void> add_children(const Stack::Place& place, std::map<std::string, Stack>& children) {
        Result<std::vector<ImageEntry>> entries = images_[place.image].entries(place.nid);
        if (!entries)
            return entries.error();
        for (const ImageEntry& entry : *entries) {
            Stack& child = children[entry.name];
            if (child.closed)
                continue;
            if (entry.type == FileType::kDirectory)
                HRUN_TRY(push(child, place.image, entry.nid));
            else
                child.closed = true;
        }
        return {};
    }

    const std::vector<ImageReader>& images_;
    std::vector<std::unordered_set<uint64_t>> seen_; // inode numbers of directories, per image
};

} // namespace

Result<DirectoryJoin> join_directories(const std::vector<ImageReader>& images) {
    Joiner joiner(images);
    Result<Stack> stack = joiner.root_stack();
    if (!stack)
        return stack.error();
    DirectoryJoin join;
    if (!stack->places.empty())
        join.lowest = stack->places.back().image;
    Result<std::optional<JoinedDirectory>> root = joiner.visit("", *stack, 0);
    if (!root)
        return root.error();
    join.root = std::move(*root);
    return join;
}

} // namespace hrun::erofs
