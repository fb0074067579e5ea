// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.h"

#include <doctest/doctest.h>

#include "base/byte_writer.h"
#include "base/crc32c.h"

using hrun::ByteReader;
using hrun::ByteWriter;

TEST_CASE("what was put is taken again, and nothing is left") {
    ByteWriter writer;
    writer.put<uint16_t>(0x1234);
    writer.put_block(std::as_bytes(std::span("abc", 3)));
    writer.put<uint8_t>(7);
    ByteReader reader(writer.bytes());
    CHECK(reader.take<uint16_t>() == 0x1234);
    CHECK(reader.take_block().size() == 3);
    CHECK(!reader.finished());
    CHECK(reader.take<uint8_t>() == 7);
    CHECK(reader.finished());
    CHECK(writer.bytes()[0] == std::byte{0x34});
}

TEST_CASE("what is not there reads as zero, and is remembered") {
    const std::byte bytes[3]{std::byte{1}, std::byte{2}, std::byte{3}};
    ByteReader reader(bytes);
    CHECK(reader.take<uint32_t>() == 0);
    CHECK(!reader.ok());
    CHECK(reader.take<uint8_t>() == 0); // nor is what comes after it
    CHECK(!reader.finished());
}

TEST_CASE("a block that claims more than there is, is none") {
    ByteWriter writer;
    writer.put<uint32_t>(UINT32_MAX);
    writer.put<uint32_t>(0);
    ByteReader reader(writer.bytes());
    CHECK(reader.take_block().empty());
    CHECK(!reader.ok());
}

TEST_CASE("CRC-32C is that of RFC 3720, B.4") {
    std::byte bytes[32]{};
    CHECK(hrun::crc32c(bytes) == 0x8a9136aa);
    for (int i = 0; i < 32; ++i)
        bytes[i] = static_cast<std::byte>(i);
    CHECK(hrun::crc32c(bytes) == 0x46dd794e);
    CHECK(hrun::crc32c({}) == 0);
}
