// SPDX-License-Identifier: Apache-2.0
// Directories that a layer only implies. A tar may hold "usr/bin/tool" and say nothing about "usr"; alone, the
// layer has to make up a mode, an owner and a time for it, and on overlayfs, where the topmost directory speaks
// for all, that would hide what a lower layer said. The remedy is one more, tiny layer on top: the directories
// in question and their parents, as the lower layers describe them, and nothing in them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "erofs/image_reader.h"

namespace hrun::erofs {

// A directory of the layer on top.
struct JoinedDirectory {
    std::string name; // empty for the root
    ImageDirectory directory;
    std::vector<JoinedDirectory> below;
};

struct DirectoryJoin {
    // The lowest image that shows at all: an opaque root hides what is below it, which overlayfs itself would not.
    size_t lowest = 0;
    // Nothing if no directory needs it.
    std::optional<JoinedDirectory> root;
};

// What the stack of images, lowest first, needs on top.
Result<DirectoryJoin> join_directories(const std::vector<ImageReader>& images);

} // namespace hrun::erofs
