// SPDX-License-Identifier: Apache-2.0
// A station behind a tap interface: what it sends, and what of that came in.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "base/fd.h"
#include "base/ip.h"
#include "net/address.h"

namespace hrun::net::test {

// `more`: IFF_MULTI_QUEUE, to be called again for each queue.
inline Fd open_tap(const char* name, short more = 0) {
    ifreq request{};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | more);
    Fd tap(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    REQUIRE(ioctl(tap.get(), TUNSETIFF, &request) == 0);
    return tap;
}

// A header that a bridge with br_netfilter takes: version, length, checksum (RFC 791).
inline void make_ip_header(std::string& bytes) {
    const size_t start = 10 + 14;
    bytes[start] = 0x45;
    bytes[start + 3] = static_cast<char>(bytes.size() - start);
    bytes[start + 8] = 64;
    uint32_t sum = 0;
    for (size_t i = start; i < start + 20; i += 2)
        sum += static_cast<uint8_t>(bytes[i]) << 8 | static_cast<uint8_t>(bytes[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    bytes[start + 10] = static_cast<char>(~sum >> 8);
    bytes[start + 11] = static_cast<char>(~sum);
}

// An IPv4 packet, or an ARP announcement of one's address, to everybody, behind an empty virtio-net header.
inline std::string frame(const Mac& source, uint16_t type, std::array<uint8_t, 4> ip,
                         const Mac& announced = {}, std::array<uint8_t, 4> destination = {172, 31, 0, 1}) {
    std::string bytes(10 + 14 + 46, '\0');
    std::fill_n(bytes.begin() + 10, 6, '\xff');
    std::copy(source.begin(), source.end(), bytes.begin() + 16);
    bytes[22] = static_cast<char>(type >> 8);
    bytes[23] = static_cast<char>(type);
    if (type == 0x0806)
        std::copy(announced.begin(), announced.end(), bytes.begin() + 10 + 22);
    std::copy(ip.begin(), ip.end(), bytes.begin() + 10 + (type == 0x0806 ? 28 : 26));
    if (type == 0x0800)
        std::copy(destination.begin(), destination.end(), bytes.begin() + 10 + 30);
    if (type == 0x0800)
        make_ip_header(bytes);
    return bytes;
}

// An IPv6 packet (RFC 8200) of this next header and content to ff02::1, behind an empty virtio-net header.
inline std::string frame6(const Mac& source, const char* ip, uint8_t next, const std::string& content) {
    std::string bytes(10 + 14 + 40, '\0');
    const std::array<uint8_t, 6> everybody{0x33, 0x33, 0, 0, 0, 1};
    std::copy(everybody.begin(), everybody.end(), bytes.begin() + 10);
    std::copy(source.begin(), source.end(), bytes.begin() + 16);
    bytes.replace(22, 3, "\x86\xdd\x60");
    bytes[10 + 14 + 5] = static_cast<char>(content.size());
    bytes[10 + 14 + 6] = static_cast<char>(next);
    bytes[10 + 14 + 7] = '\xff';
    const Ip from = *parse_ip(ip), to = *parse_ip("ff02::1");
    memcpy(bytes.data() + 10 + 14 + 8, from.bytes.data(), from.bytes.size());
    memcpy(bytes.data() + 10 + 14 + 24, to.bytes.data(), to.bytes.size());
    return bytes + content;
}

// A neighbour's word of this type (RFC 4861, 4.3 and 4.4) about an address, and, unless 0, an option with a MAC address.
inline std::string neighbour_word(uint8_t type, const char* target, uint8_t option = 0, const Mac& mac = {}) {
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(type);
    const Ip ip = *parse_ip(target);
    bytes.append(reinterpret_cast<const char*>(ip.bytes.data()), ip.bytes.size());
    if (option == 0)
        return bytes;
    bytes += static_cast<char>(option);
    bytes += '\1';
    return bytes.append(mac.begin(), mac.end());
}

inline uint64_t received(const char* interface) {
    std::ifstream file("/proc/thread-self/net/dev");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string name;
        uint64_t bytes = 0, packets = 0;
        if (words >> name >> bytes >> packets && name == std::string(interface) + ":")
            return packets;
    }
    return 0;
}

} // namespace hrun::net::test
