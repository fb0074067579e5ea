// SPDX-License-Identifier: Apache-2.0
#include "monitor/passt.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

namespace hrun::monitor {

TEST_CASE("passt is told the machine's addresses and ports, and leads to no loopback") {
    NicConfig nic{};
    nic.addresses = {*net::parse_address("10.0.2.15/24")};
    nic.mtu = 65520;
    nic.passt = {"/usr/bin/passt", *parse_ip("10.0.2.2"), *parse_ip("10.0.2.3")};
    const std::vector<net::PortMapping> ports{
        {IPPROTO_TCP, {}, 8080, *parse_ip("10.0.2.15"), 80},
        {IPPROTO_UDP, *parse_ip("127.0.0.1"), 5353, *parse_ip("10.0.2.15"), 53}};
    std::string line;
    for (const std::string& word : passt_command_line(nic, ports, 3))
        line += word + " ";
    CHECK(line ==
          "/usr/bin/passt --foreground --quiet --stderr --ipv4-only --no-map-gw --no-dhcp --no-dhcpv6 "
          "--no-ndp --no-ra "
          "--fd 3 --address 10.0.2.15 --netmask 24 --gateway 10.0.2.2 --dns-forward 10.0.2.3 --mtu 65520 "
          "--tcp-ports 8080:80 --udp-ports 127.0.0.1/5353:53 ");
}

} // namespace hrun::monitor
