// SPDX-License-Identifier: Apache-2.0
#include "erofs/dirent_block.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

using namespace hrun::erofs;

TEST_CASE("entries are in byte order, dots among them, high bytes last") {
    std::vector<DirEntry> entries{{"\xff"}, {"."}, {"a"}, {"!"}, {".."}, {"-"}};
    sort_entries(entries);
    std::string order;
    for (auto& entry : entries)
        order += std::string(entry.name) + " ";
    CHECK(order == "! - . .. a \xff ");
}

TEST_CASE("a block holds as many entries as fit, the next one starts anew") {
    std::vector<std::string> names;
    for (int i = 0; i < 40; i++)
        names.push_back(std::string(253, 'n') + char('0' + i / 10) + char('0' + i % 10));
    std::vector<DirEntry> entries;
    for (auto& name : names)
        entries.push_back({name, 7, FileType::kRegular});
    // 15 entries of 12 + 255 bytes make 4005 bytes.
    CHECK(directory_bytes(entries) == 2 * 4096 + 10 * 267);
    std::vector<uint8_t> content;
    encode_directory(entries, content);
    Dirent dirent;
    memcpy(&dirent, content.data() + 4096, sizeof dirent);
    CHECK(+dirent.name_offset == 15 * 12);
    CHECK(memcmp(content.data() + 4096 + 15 * 12, names[15].data(), 255) == 0);
}

TEST_CASE("an exactly full block is followed by nothing") {
    std::vector<std::string> names;
    for (int i = 0; i < 16; i++)
        names.push_back(std::string(242, 'a') + char('a' + i) + 'z');
    std::vector<DirEntry> entries;
    for (auto& name : names)
        entries.push_back({name});
    CHECK(directory_bytes(entries) == 4096);
}
