// SPDX-License-Identifier: Apache-2.0
#include "erofs/sparse_map.h"

#include <doctest/doctest.h>

#include "erofs/layer_error.h"

using namespace hrun::erofs;

TEST_CASE("a sparse list has pairs of numbers from 0 on") {
    auto map = parse_sparse_list("0,1,10,20", 2);
    REQUIRE(map);
    REQUIRE(map->size() == 2);
    CHECK((*map)[1].offset == 10);
    CHECK((*map)[1].length == 20);
    for (const char* text : {"1", "1,", "1,2,3", "-1,2", "a,b", ",", "1,,2"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_sparse_list(text, 10));
    }
    CHECK(parse_sparse_list("0,1,2,3", 1).error().code == kLayerLimit);
}

TEST_CASE("a sparse map ascends, stays inside the file and adds up to the data") {
    SparseMap good{{0, 5}, {5, 0}, {10, 5}};
    REQUIRE(check_sparse_map(good, 15, 10));
    CHECK(good.size() == 2); // the empty one is gone
    for (SparseMap map : {SparseMap{{5, 5}, {0, 5}}, SparseMap{{0, 6}, {5, 4}}, SparseMap{{10, 10}},
                          SparseMap{{UINT64_MAX, 10}}, SparseMap{{5, UINT64_MAX}}, SparseMap{{0, 9}}})
        CHECK_FALSE(check_sparse_map(map, 15, 10));
}
