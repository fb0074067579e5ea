// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

using namespace hrun::net;

TEST_CASE("addresses are taken with their prefix, and nothing else is") {
    const auto four = parse_address("172.31.0.1/16");
    REQUIRE(four);
    CHECK(four->family == AF_INET);
    CHECK(four->prefix == 16);
    CHECK(four->value().size() == 4);
    CHECK(four->bytes[0] == std::byte{172});
    const auto six = parse_address("fd00::1/64");
    REQUIRE(six);
    CHECK(six->family == AF_INET6);
    CHECK(six->value().size() == 16);
    for (const char* bad : {"", "1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/8x", "1.2.3/8",
                            "fd00::1/129", "fd00::g/64", "/8", "1.2.3.4/16/2"})
        CHECK_FALSE(parse_address(bad));
}

TEST_CASE("an address is read from its bytes or text, and written as the kernel does") {
    using namespace hrun;
    for (const char* text : {"10.5.0.2", "::", "fd00:1::2", "2001:db8:0:1::"}) {
        const auto ip = parse_ip(text);
        REQUIRE(ip);
        CHECK(to_text(*ip) == text);
        CHECK(ip_of(ip->value()) == ip);
    }
    CHECK(parse_ip("0.0.0.0")->is_any());
    CHECK(parse_ip("::")->is_any());
    CHECK_FALSE(parse_ip("::1")->is_any());
    CHECK(*parse_ip("0.0.0.0") != *parse_ip("::"));
    for (const char* bad : {"", "x", "1.2.3", "fd00::/64", "fd00::1%eth0", "[::1]"})
        CHECK_FALSE(parse_ip(bad));
    CHECK_FALSE(ip_of(std::span<const std::byte>()));
}

TEST_CASE("a MAC address is six pairs of digits, and one station's") {
    CHECK(parse_mac("02:42:ac:1f:00:02") == Mac{0x02, 0x42, 0xac, 0x1f, 0x00, 0x02});
    for (const char* bad : {"", "02:42:ac:1f:00", "02:42:ac:1f:00:0g", "02-42-ac-1f-00-02",
                            "03:42:ac:1f:00:02", "02:42:ac:1f:00:022", "+2:42:ac:1f:00:02"})
        CHECK_FALSE(parse_mac(bad));
}

TEST_CASE("an interface's name is short and plain") {
    CHECK(is_interface_name("hrun0"));
    CHECK(is_interface_name("fifteen-chars-x"));
    for (const char* bad : {"", "sixteen-chars-xy", "a/b", "a b", "a,b", "a%d", "."})
        CHECK_FALSE(is_interface_name(bad));
}
