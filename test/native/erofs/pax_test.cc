// SPDX-License-Identifier: Apache-2.0
#include "erofs/pax.h"

#include <doctest/doctest.h>

#include "erofs/layer_error.h"
#include "erofs/pax_fields.h"

using namespace hrun::erofs;

TEST_CASE("pax records are split by their lengths, whatever bytes a value holds") {
    PaxRecords records;
    REQUIRE(parse_pax({"12 path=a=b\n29 SCHILY.xattr.user.x=1\n2=\0\n", 41}, records));
    CHECK(records["path"] == "a=b");
    CHECK(records["SCHILY.xattr.user.x"] == std::string("1\n2=\0", 5));
}

TEST_CASE("a pax header that is not well formed is refused") {
    for (std::string_view text :
         {"path=a", "5 a=b", "99 a=b\n", "6 a=b\n\n", "0 \n", "4 =\n", "-6 a=b\n", "6 a=bc", "4 a\n"}) {
        CAPTURE(text);
        PaxRecords records;
        auto parsed = parse_pax(text, records);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == kLayerCorrupt);
    }
}

TEST_CASE("repeated sparse records of format 0.0 become one list") {
    PaxRecords records;
    REQUIRE(parse_pax("23 GNU.sparse.offset=1\n25 GNU.sparse.numbytes=2\n23 GNU.sparse.offset=5\n", records));
    CHECK(records["GNU.sparse.map"] == "1,2,5");
}

TEST_CASE("pax times count nanoseconds forward, also before 1970") {
    struct {
        const char* text;
        int64_t seconds;
        uint32_t nanoseconds;
    } const cases[] = {{"0", 0, 0},
                       {"12.5", 12, 500000000},
                       {"12.", 12, 0},
                       {"-1.25", -2, 750000000},
                       {"-0.5", -1, 500000000},
                       {"3.1234567899", 3, 123456789}};
    for (auto& expected : cases) {
        CAPTURE(expected.text);
        auto time = parse_pax_time(expected.text);
        REQUIRE(time);
        CHECK(time->seconds == expected.seconds);
        CHECK(time->nanoseconds == expected.nanoseconds);
    }
    for (const char* text : {"", "x", "1.x", "1.5 ", ".5", "99999999999999999999"})
        CHECK_FALSE(parse_pax_time(text));
}

TEST_CASE("an empty pax value leaves the header's field as it is") {
    PaxRecords records{{"path", ""}, {"uid", "7"}};
    TarHeader header;
    header.path = "name";
    uint32_t nanoseconds = 0;
    REQUIRE(apply_pax_fields(records, header, nanoseconds));
    CHECK(header.path == "name");
    CHECK(header.uid == 7);
}

TEST_CASE("an empty pax value takes an extended attribute back") {
    PaxRecords records;
    REQUIRE(parse_pax("24 SCHILY.xattr.user.a=\n25 SCHILY.xattr.user.b=1\n", records));
    const std::vector<Xattr> xattrs = pax_xattrs(records);
    REQUIRE(xattrs.size() == 1);
    CHECK(xattrs[0].name == "user.b");
    CHECK(xattrs[0].value == "1");
}
