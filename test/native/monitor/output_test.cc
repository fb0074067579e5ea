// SPDX-License-Identifier: Apache-2.0
#include "monitor/output.h"

#include <doctest/doctest.h>

namespace hrun::monitor {
namespace {

TEST_CASE("bytes stay until nobody needs them") {
    Output output;
    REQUIRE(output.append("hello "));
    REQUIRE(output.append("world"));
    CHECK(output.read(0, 100) == "hello world");
    CHECK(output.drop_before(6) == 6);
    CHECK(output.begin() == 6);
    CHECK(output.read(6, 3) == "wor");
    CHECK(output.drop_before(11) == 5);
    CHECK(output.end() == 11);
}

TEST_CASE("more than the credit is refused, and room comes with dropping") {
    Output output;
    const std::string chunk(HRUN_MAX_DATA, 'x');
    for (int i = 0; i < HRUN_INITIAL_CREDIT / HRUN_MAX_DATA; ++i)
        REQUIRE(output.append(chunk));
    CHECK_FALSE(output.append("y"));
    output.drop_before(1);
    CHECK(output.append("y"));
    CHECK(output.read(HRUN_INITIAL_CREDIT, 10) == "y");
}

TEST_CASE("a long stream keeps its order and its bounds") {
    Output output;
    std::string expected;
    uint64_t dropped = 0;
    for (int i = 0; i < 20000; ++i) {
        const std::string line = "line " + std::to_string(i) + ";";
        REQUIRE(output.append(line));
        expected += line;
        if (output.end() - output.begin() > 200000)
            dropped += output.drop_before(output.begin() + 150000);
    }
    CHECK(output.end() == expected.size());
    CHECK(output.begin() == dropped);
    CHECK(output.read(dropped, expected.size()) == std::string_view(expected).substr(dropped));
}

TEST_CASE("nothing comes after the end") {
    Output output;
    output.finish();
    CHECK_FALSE(output.append("x"));
}

} // namespace
} // namespace hrun::monitor
