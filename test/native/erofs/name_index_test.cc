// SPDX-License-Identifier: Apache-2.0
#include "erofs/name_index.h"

#include <doctest/doctest.h>

#include <string>

using namespace hrun::erofs;

TEST_CASE("nodes are found by parent and name, also after the table has grown and shrunk") {
    NameIndex index;
    std::vector<std::pair<uint32_t, std::string>> keys;
    for (uint32_t i = 0; i < 5000; i++)
        keys.emplace_back(i % 7, "name" + std::to_string(i));
    auto find = [&](uint32_t parent, const std::string& name) {
        return index.find(index.hash(parent, name), [&](uint32_t node) {
            return keys[node].first == parent && keys[node].second == name;
        });
    };
    for (uint32_t i = 0; i < keys.size(); i++)
        index.insert(index.hash(keys[i].first, keys[i].second), i);
    for (uint32_t i = 0; i < keys.size(); i += 2)
        index.remove(index.hash(keys[i].first, keys[i].second), i);
    for (uint32_t i = 0; i < keys.size(); i++)
        CHECK(find(keys[i].first, keys[i].second) == (i % 2 ? i : NameIndex::kNone));
    CHECK(find(8, "name1") == NameIndex::kNone);
}
