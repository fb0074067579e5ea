// SPDX-License-Identifier: Apache-2.0
#include "erofs/path.h"

#include <doctest/doctest.h>

#include "erofs/layer_error.h"

using namespace hrun::erofs;

namespace {

std::string joined(std::string_view path) {
    auto components = split_path(path, Limits{});
    REQUIRE(components);
    std::string text;
    for (auto component : *components)
        text += "/" + std::string(component);
    return text;
}

} // namespace

TEST_CASE("a path is cleaned as text and stops at the root") {
    CHECK(joined("a/b") == "/a/b");
    CHECK(joined("./a//b/./") == "/a/b");
    CHECK(joined("/a/../../../b") == "/b");
    CHECK(joined("a/b/..") == "/a");
    CHECK(joined("") == "");
    CHECK(joined("./") == "");
    CHECK(joined("...") == "/...");
}

TEST_CASE("a path beyond Linux's limits is refused") {
    CHECK(split_path(std::string(256, 'n'), Limits{}).error().code == kLayerLimit);
    CHECK(split_path(std::string(4096, '/'), Limits{}).error().code == kLayerLimit);
    std::string deep;
    for (int i = 0; i < 1025; i++)
        deep += "d/";
    CHECK(split_path(deep, Limits{}).error().code == kLayerLimit);
    CHECK(split_path(deep.substr(2), Limits{}));
}
