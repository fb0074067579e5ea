// SPDX-License-Identifier: Apache-2.0
// Little-endian values one after the other, in memory: how state is put into a file.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace hrun {

static_assert(std::endian::native == std::endian::little);

class ByteWriter {
  public:
    template <std::integral T> void put(T value) { append(std::as_bytes(std::span(&value, 1))); }
    // A structure as it lies in memory, one of an ABI that fixes each byte of it.
    template <class T>
    requires std::is_trivially_copyable_v<T>
    void put_struct(const T& value) { append(std::as_bytes(std::span(&value, 1))); }
    void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    // The count of bytes that follow, in 32 bits, and the bytes.
    void put_block(std::span<const std::byte> bytes) {
        put(static_cast<uint32_t>(bytes.size()));
        append(bytes);
    }

    std::span<const std::byte> bytes() const { return bytes_; }
    std::vector<std::byte> take() { return std::move(bytes_); }

  private:
    std::vector<std::byte> bytes_;
};

} // namespace hrun
