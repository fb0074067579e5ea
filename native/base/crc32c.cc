// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <array>
#include <cstring>

namespace hrun {

namespace {

constexpr uint32_t kPolynomial = 0x82f63b78; // bits reversed

constexpr std::array<uint32_t, 256> make_table() {
    std::array<uint32_t, 256> table{};
    for (uint32_t byte = 0; byte < table.size(); ++byte) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit)
            value = value >> 1 ^ (value & 1 ? kPolynomial : 0);
        table[byte] = value;
    }
    return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

// The processor's own, of most.
__attribute__((target("sse4.2"))) uint32_t by_processor(std::span<const std::byte> bytes) {
    uint64_t value = ~0u;
    for (; bytes.size() >= sizeof(uint64_t); bytes = bytes.subspan(sizeof(uint64_t))) {
        uint64_t word;
        std::memcpy(&word, bytes.data(), sizeof word);
        value = __builtin_ia32_crc32di(value, word);
    }
    auto rest = static_cast<uint32_t>(value);
    for (const std::byte byte : bytes)
        rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(byte));
    return ~rest;
}

} // namespace

uint32_t crc32c(std::span<const std::byte> bytes) {
    if (__builtin_cpu_supports("sse4.2"))
        return by_processor(bytes);
    uint32_t value = ~0u;
    for (const std::byte byte : bytes)
        value = value >> 8 ^ kTable[(value ^ static_cast<uint32_t>(byte)) & 0xff];
    return ~value;
}

} // namespace hrun
