// SPDX-License-Identifier: Apache-2.0
// A directory's content: blocks of dirents followed by their names, in byte order of the names, because
// the kernel searches them by bisection.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "erofs/layout.h"

namespace hrun::erofs {

struct DirEntry {
    std::string_view name;
    uint64_t nid = 0;
    FileType type = FileType::kRegular;
};

// Sorts the entries, "." and ".." among them.
void sort_entries(std::vector<DirEntry>& entries);

// Bytes of the directory: full blocks, then what the last block uses. Needs sorted names only.
uint64_t directory_bytes(const std::vector<DirEntry>& sorted);

// Replaces `content` by those bytes.
void encode_directory(const std::vector<DirEntry>& sorted, std::vector<uint8_t>& content);

} // namespace hrun::erofs
