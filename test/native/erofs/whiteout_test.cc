// SPDX-License-Identifier: Apache-2.0
#include "erofs/whiteout.h"

#include <doctest/doctest.h>

using namespace hrun::erofs;

TEST_CASE("the last component decides what a path means") {
    CHECK(*name_meaning({"a", "b"}) == NameMeaning::kPlain);
    CHECK(*name_meaning({"a", ".wh.b"}) == NameMeaning::kWhiteout);
    CHECK(*name_meaning({"a", ".wh..wh..opq"}) == NameMeaning::kOpaque);
    CHECK(*name_meaning({".wh..wh.plnk", "x"}) == NameMeaning::kIgnored);
    CHECK(*name_meaning({".wh"}) == NameMeaning::kPlain);
    CHECK(whited_out_name(".wh..hidden") == ".hidden");
}

TEST_CASE("whiteouts that name nothing, or parents, are refused") {
    CHECK_FALSE(name_meaning({".wh."}));
    CHECK_FALSE(name_meaning({".wh.."}));
    CHECK_FALSE(name_meaning({".wh..."}));
    CHECK_FALSE(name_meaning({".wh.a", "b"}));
    CHECK_FALSE(name_meaning({".wh..wh..opq", "b"}));
}
