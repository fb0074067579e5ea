// SPDX-License-Identifier: Apache-2.0
// What ByteWriter has put, taken out of bytes that nobody vouches for. A value that is not there reads as zero and is
// remembered, so that a reader may take all it wants and ask once, before it uses any of it, whether all was there.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace hrun {

static_assert(std::endian::native == std::endian::little);

class ByteReader {
  public:
    explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

    template <std::integral T> T take() { return take_struct<T>(); }
    template <class T>
    requires std::is_trivially_copyable_v<T> T take_struct() {
        T value{};
        if (const auto bytes = take_bytes(sizeof value); bytes.size() == sizeof value)
            memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    // The next `count` bytes; none when there are fewer.
    std::span<const std::byte> take_bytes(size_t count) {
        if (count > rest_.size()) {
            missing_ = true;
            rest_ = {};
            return {};
        }
        const auto bytes = rest_.first(count);
        rest_ = rest_.subspan(count);
        return bytes;
    }
    // What put_block() has put.
    std::span<const std::byte> take_block() { return take_bytes(take<uint32_t>()); }

    // All that was asked for was there.
    bool ok() const { return !missing_; }
    // The same, and nothing is left.
    bool finished() const { return !missing_ && rest_.empty(); }
    size_t left() const { return rest_.size(); }

  private:
    std::span<const std::byte> rest_;
    bool missing_ = false;
};

} // namespace hrun
