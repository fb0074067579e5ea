// SPDX-License-Identifier: Apache-2.0
#include "erofs/tar_header.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace hrun;
using namespace hrun::erofs;

namespace {

Result<int64_t> number(std::string_view field) {
    return parse_tar_number(reinterpret_cast<const uint8_t*>(field.data()), field.size());
}

} // namespace

TEST_CASE("octal numbers may be padded with spaces and end early") {
    CHECK(*number("0000644") == 0644);
    CHECK(*number("   12 \0") == 012);
    CHECK(*number({"17\0garbage", 8}) == 017);
    CHECK(*number({"\0\0\0\0", 4}) == 0);
    CHECK(*number("777777777777") == 0777777777777);
    CHECK_FALSE(number("12x4567"));
    CHECK_FALSE(number("8"));
}

TEST_CASE("base-256 numbers are big-endian two's complement") {
    CHECK(*number({"\x80\0\0\0\0\0\x01\0", 8}) == 256);
    CHECK(*number({"\xff\xff\xff\xff\xff\xff\xff\xfe", 8}) == -2);
    CHECK(*number({"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12}) == INT64_MAX);
    CHECK_FALSE(number({"\x80\0\0\0\x80\0\0\0\0\0\0\0", 12}));
    CHECK_FALSE(number({"\x80\x01\0\0\0\0\0\0\0\0\0\0", 12}));
}

TEST_CASE("a block whose checksum is wrong is no header") {
    uint8_t block[kTarBlockBytes] = {};
    CHECK(is_zero_block(block));
    CHECK_FALSE(parse_tar_header(block));
    strcpy(reinterpret_cast<char*>(block), "name");
    memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (uint8_t byte : block)
        sum += byte;
    snprintf(reinterpret_cast<char*>(block + 148), 8, "%06o", sum);
    auto header = parse_tar_header(block);
    REQUIRE(header);
    CHECK(header->path == "name");
    CHECK(header->format == TarFormat::kV7);
    block[0] ^= 1;
    CHECK_FALSE(parse_tar_header(block));
}
