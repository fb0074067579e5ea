// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/config_space.h"

#include <doctest/doctest.h>

#include <array>

namespace hrun::virtio {
namespace {

constexpr std::array<std::byte, 4> kConfig{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};

uint32_t read(uint32_t offset, size_t size) {
    uint32_t value = UINT32_MAX;
    read_config_space(kConfig, offset, std::as_writable_bytes(std::span(&value, 1)).first(size));
    return value;
}

TEST_CASE("reads past the end of a configuration are zeroes") {
    CHECK(read(0, 4) == 0x04030201);
    CHECK(read(2, 4) == 0x00000403);
    CHECK(read(4, 4) == 0);
    CHECK(read(UINT32_MAX, 4) == 0);
    CHECK(read(3, 1) == 0xffffff04);
}

TEST_CASE("a write changes what of the field it covers") {
    std::array<std::byte, 2> field{};
    const auto write = [&](uint32_t offset, size_t size) {
        return write_config_field(field, 8, offset, std::span(kConfig).first(size));
    };
    CHECK_FALSE(write(4, 4));
    CHECK_FALSE(write(10, 4));
    CHECK_FALSE(write(UINT32_MAX, 4));
    CHECK_FALSE(write(8, 0));
    CHECK(write(9, 1));
    CHECK(field == std::array{std::byte{0}, std::byte{1}});
    CHECK(write(6, 4));
    CHECK(field == std::array{std::byte{3}, std::byte{4}});
}

} // namespace
} // namespace hrun::virtio
