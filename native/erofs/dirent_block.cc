// SPDX-License-Identifier: Apache-2.0
#include "erofs/dirent_block.h"

#include <algorithm>
#include <cstring>

namespace hrun::erofs {
namespace {

// The entries from `first` that fit one block; `used` is what they take.
size_t entries_in_block(const std::vector<DirEntry>& sorted, size_t first, size_t& used) {
    size_t count = 0;
    used = 0;
    while (first + count < sorted.size()) {
        const size_t bytes = sizeof(Dirent) + sorted[first + count].name.size();
        if (used + bytes > kBlockBytes)
            break;
        used += bytes;
        count++;
    }
    return count;
}

void encode_block(const DirEntry* entries, size_t count, uint8_t* block) {
    size_t name_offset = count * sizeof(Dirent);
    for (size_t i = 0; i < count; i++) {
        const Dirent dirent{entries[i].nid, static_cast<uint16_t>(name_offset),
                            static_cast<uint8_t>(entries[i].type), 0};
        memcpy(block + i * sizeof dirent, &dirent, sizeof dirent);
        memcpy(block + name_offset, entries[i].name.data(), entries[i].name.size());
        name_offset += entries[i].name.size();
    }
}

} // namespace

// string_view compares as memcmp does: by unsigned bytes.
void sort_entries(std::vector<DirEntry>& entries) {
    std::sort(entries.begin(), entries.end(),
              [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
}

uint64_t directory_bytes(const std::vector<DirEntry>& sorted) {
    uint64_t bytes = 0;
    for (size_t first = 0; first < sorted.size();) {
        size_t used;
        bytes = round_up(bytes, kBlockBytes);
        first += entries_in_block(sorted, first, used);
        bytes += used;
    }
    return bytes;
}

void encode_directory(const std::vector<DirEntry>& sorted, std::vector<uint8_t>& content) {
    content.assign(directory_bytes(sorted), 0);
    uint8_t* block = content.data();
    for (size_t first = 0; first < sorted.size(); block += kBlockBytes) {
        size_t used;
        const size_t count = entries_in_block(sorted, first, used);
        encode_block(&sorted[first], count, block);
        first += count;
    }
}

} // namespace hrun::erofs
