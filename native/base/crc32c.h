// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli, RFC 3720 B.4): finds what storage and transport do to bytes, not what an attacker does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hrun {

uint32_t crc32c(std::span<const std::byte> bytes);

} // namespace hrun
