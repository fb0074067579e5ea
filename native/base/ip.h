// SPDX-License-Identifier: Apache-2.0
// An address of either family of IP.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace hrun {

// An IPv4 or IPv6 address.
struct Ip {
    int family = AF_INET;              // or AF_INET6
    std::array<std::byte, 16> bytes{}; // network order; IPv4 in the first four

    std::span<const std::byte> value() const;
    bool is_any() const; // 0.0.0.0 or ::
    bool operator==(const Ip&) const = default;
};

// "172.31.0.1" or "fd00::1"; nothing for any other text.
std::optional<Ip> parse_ip(const std::string& text);
// Of these bytes, 4 or 16 of them.
std::optional<Ip> ip_of(std::span<const std::byte> bytes);
// As inet_ntop(3) writes it: IPv6 shortened.
std::string to_text(const Ip& ip);

} // namespace hrun
