// SPDX-License-Identifier: Apache-2.0
#include "erofs/chunk_map.h"

#include <doctest/doctest.h>

#include "erofs/limits.h"

using namespace hrun::erofs;

TEST_CASE("only chunks with data get blocks") {
    ImageFile image(-1);
    auto map = map_chunks(10 * kBlockBytes, {{kBlockBytes, 10}, {5 * kBlockBytes - 1, 2}}, image);
    REQUIRE(map);
    CHECK(map->chunk_bits == kBlockBits);
    REQUIRE(map->blocks.size() == 10);
    CHECK(map->blocks[0] == kNullBlock);
    CHECK(map->blocks[1] == 0);
    CHECK(map->blocks[4] == 1);
    CHECK(map->blocks[5] == 2);
    CHECK(map->block_count == 3);
    CHECK(map->image_offset(5 * kBlockBytes + 7) == 2 * kBlockBytes + 7);
}

TEST_CASE("the map stays in proportion to the extents") {
    ImageFile image(-1);
    CHECK(map_chunks(kTiB, {}, image)->blocks.size() <= 16);
    CHECK(map_chunks(kTiB, {{5, 1}}, image)->blocks.size() <= 64);
    SparseMap many;
    for (uint64_t i = 0; i < 10000; i++)
        many.push_back({i * 8192, 1});
    CHECK(map_chunks(kGiB, many, image)->blocks.size() <= 16384);
}

TEST_CASE("an image cannot grow past 32-bit block addresses") {
    ImageFile image(-1);
    REQUIRE(image.allocate(kNullBlock - 1));
    CHECK_FALSE(image.allocate(1));
}
