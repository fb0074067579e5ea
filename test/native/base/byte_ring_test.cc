// SPDX-License-Identifier: Apache-2.0
#include "base/byte_ring.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace hrun {
namespace {

std::string contents(const ByteRing& ring) {
    std::string all;
    for (const iovec& part : ring.contents())
        all.append(static_cast<const char*>(part.iov_base), part.iov_len);
    return all;
}

TEST_CASE("bytes come out in the order they went in, around the end of the buffer") {
    ByteRing ring(10);
    std::string expected;
    for (int i = 0; i < 1000; ++i) {
        const std::string bytes = std::to_string(i);
        const size_t taken = ring.append(bytes.data(), bytes.size());
        expected += bytes.substr(0, taken);
        CHECK(contents(ring) == expected);
        const size_t drop = std::min<size_t>(static_cast<size_t>(i % 5), expected.size());
        ring.consume(drop);
        expected.erase(0, drop);
    }
}

TEST_CASE("no more is taken than there is room for, and no more dropped than there is") {
    ByteRing ring(4);
    CHECK(ring.append("abcdef", 6) == 4);
    CHECK(ring.room() == 0);
    CHECK(ring.append("x", 1) == 0);
    char bytes[8];
    CHECK(ring.peek(bytes, sizeof bytes) == 4);
    ring.consume(100);
    CHECK(ring.empty());
    CHECK(ring.peek(bytes, sizeof bytes) == 0);
}

} // namespace
} // namespace hrun
