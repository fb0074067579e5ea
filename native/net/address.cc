// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <charconv>

namespace hrun::net {

namespace {

// All of `text`, as a number of this base.
std::optional<unsigned> parse_number(std::string_view text, int base) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

} // namespace

std::span<const std::byte> Address::value() const {
    return std::span(bytes).first(family == AF_INET ? 4 : 16);
}

std::optional<Address> parse_address(const std::string& text) {
    const size_t slash = text.find('/');
    if (slash == std::string::npos)
        return std::nullopt;
    const auto ip = parse_ip(text.substr(0, slash));
    const auto prefix = parse_number(std::string_view(text).substr(slash + 1), 10);
    if (!ip || !prefix || *prefix > (ip->family == AF_INET ? 32u : 128u))
        return std::nullopt;
    return Address{ip->family, static_cast<uint8_t>(*prefix), ip->bytes};
}

std::optional<Mac> parse_mac(const std::string& text) {
    constexpr size_t kDigits = 2, kStep = 3;
    Mac mac;
    if (text.size() != mac.size() * kStep - 1)
        return std::nullopt;
    for (size_t i = 0; i < mac.size(); ++i) {
        const auto byte = parse_number(std::string_view(text).substr(i * kStep, kDigits), 16);
        if (!byte || (i > 0 && text[i * kStep - 1] != ':'))
            return std::nullopt;
        mac[i] = static_cast<uint8_t>(*byte);
    }
    if (mac[0] & 1)
        return std::nullopt;
    return mac;
}

bool is_interface_name(const std::string& text) {
    constexpr char kAllowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return !text.empty() && text.size() < IFNAMSIZ && text.find_first_not_of(kAllowed) == std::string::npos;
}

} // namespace hrun::net
