// SPDX-License-Identifier: Apache-2.0
#include "base/ip.h"

#include <arpa/inet.h>

#include <algorithm>

namespace hrun {

std::span<const std::byte> Ip::value() const {
    return std::span(bytes).first(family == AF_INET ? 4 : 16);
}

bool Ip::is_any() const {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte each) { return each == std::byte{}; });
}

std::optional<Ip> parse_ip(const std::string& text) {
    Ip ip{text.find(':') == std::string::npos ? AF_INET : AF_INET6, {}};
    if (inet_pton(ip.family, text.c_str(), ip.bytes.data()) != 1)
        return std::nullopt;
    return ip;
}

std::optional<Ip> ip_of(std::span<const std::byte> bytes) {
    Ip ip{bytes.size() == 4 ? AF_INET : AF_INET6, {}};
    if (bytes.size() != ip.value().size())
        return std::nullopt;
    std::copy(bytes.begin(), bytes.end(), ip.bytes.begin());
    return ip;
}

std::string to_text(const Ip& ip) {
    char text[INET6_ADDRSTRLEN];
    return inet_ntop(ip.family, ip.bytes.data(), text, sizeof text) ? text : "";
}

} // namespace hrun
