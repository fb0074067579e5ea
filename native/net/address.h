// SPDX-License-Identifier: Apache-2.0
// Addresses as netlink has them, from the text that people write.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/ip.h"

namespace hrun::net {

using Mac = std::array<uint8_t, 6>;

// An IPv4 or IPv6 address and how many of its bits are the network's.
struct Address {
    int family; // AF_INET or AF_INET6
    uint8_t prefix;
    std::array<std::byte, 16> bytes; // network order; IPv4 in the first four

    std::span<const std::byte> value() const;
    Ip ip() const { return {family, bytes}; }
};

// "172.31.0.1/16" or "fd00::1/64"; nothing for any other text.
std::optional<Address> parse_address(const std::string& text);

// "02:42:ac:1f:00:02", of one station, not of a group; nothing for any other text.
std::optional<Mac> parse_mac(const std::string& text);

// True for what the kernel takes as the name of an interface, and no option list takes for more than that.
bool is_interface_name(const std::string& text);

} // namespace hrun::net
