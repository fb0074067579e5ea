// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "namespaces/container.h"

using namespace hrun::test;

namespace {

std::string nic(uint32_t slot, const char* name, uint8_t last_of_mac, uint16_t metric = 0) {
    hrun_nic nic{slot, 1400, {0x02, 0x42, 0xac, 0x1f, 0, last_of_mac}, metric, {}};
    std::string(name).copy(nic.name, sizeof nic.name - 1);
    return bytes_of(nic);
}

std::string ipv4(uint32_t slot, uint8_t third, uint8_t last, uint8_t prefix) {
    return bytes_of(hrun_nic_address{slot, HRUN_ADDRESS_IPV4, prefix, 0, {172, 31, third, last}});
}

std::string ipv6(uint32_t slot, uint8_t last, uint8_t prefix) {
    hrun_nic_address address{slot, HRUN_ADDRESS_IPV6, prefix, 0, {0xfd}};
    address.address[15] = last;
    return bytes_of(address);
}

} // namespace

TEST_CASE("without a network interface there is the loopback, and it is up") {
    REQUIRE_RIG();
    Machine machine;
    CHECK(machine.run_shell("ls /sys/class/net; ping -c 1 -W 5 127.0.0.1 >/dev/null && echo up").output ==
          "lo\nup\n");
}

TEST_CASE("an interface has its name, MAC address, MTU, addresses and routes when the process starts") {
    REQUIRE_RIG();
    Machine machine;
    const uint32_t slot = machine.rig.add_interface();
    machine.configure.add(HRUN_CONF_NIC, nic(slot, "eth0", 2))
        .add(HRUN_CONF_ADDRESS, ipv4(slot, 0, 2, 16))
        .add(HRUN_CONF_ADDRESS, ipv6(slot, 2, 64))
        .add(HRUN_CONF_GATEWAY, ipv4(slot, 0, 1, 0))
        .add(HRUN_CONF_GATEWAY, ipv6(slot, 1, 0));
    const std::string output =
        machine.run_shell("ip -o link show eth0; ip -o addr show eth0; ip route; ip -6 route").output;
    CAPTURE(output);
    CHECK(output.find("link/ether 02:42:ac:1f:00:02") != std::string::npos);
    CHECK(output.find("mtu 1400") != std::string::npos);
    CHECK(output.find(",UP") != std::string::npos);
    CHECK(output.find("inet 172.31.0.2/16 brd 172.31.255.255") != std::string::npos);
    CHECK(output.find("inet6 fd00::2/64") != std::string::npos);
    CHECK(output.find("fd00::2/64 scope global tentative") == std::string::npos);
    CHECK(output.find("default via 172.31.0.1 dev eth0") != std::string::npos);
    CHECK(output.find("default via fd00::1 dev eth0") != std::string::npos);
}

TEST_CASE(
    "routes are those that were given, by gateways that others lead to, and an address apart brings none") {
    REQUIRE_RIG();
    Machine machine;
    const uint32_t slot = machine.rig.add_interface();
    hrun_nic_address apart{slot, HRUN_ADDRESS_IPV4, 16, HRUN_ADDRESS_FLAG_APART, {10, 8, 0, 5}};
    hrun_nic_address apart6{slot, HRUN_ADDRESS_IPV6, 64, HRUN_ADDRESS_FLAG_APART, {0xfd}};
    apart6.address[15] = 5;
    const hrun_nic_route gateway{slot, HRUN_ADDRESS_IPV4, 0, 0, 0, {}, {169, 254, 1, 1}};
    const hrun_nic_route direct{slot, HRUN_ADDRESS_IPV4, 32, 0, 0, {169, 254, 1, 1}, {}};
    const hrun_nic_route far{slot,        HRUN_ADDRESS_IPV4, 24, HRUN_ROUTE_FLAG_ONLINK, 9,
                             {192, 0, 2}, {198, 51, 100, 1}};
    hrun_nic_route six{slot, HRUN_ADDRESS_IPV6, 0, 0, 77, {}, {0xfe, 0x80}};
    six.gateway[15] = 1;
    machine.configure.add(HRUN_CONF_NIC, nic(slot, "eth0", 2))
        .add(HRUN_CONF_ADDRESS, bytes_of(apart))
        .add(HRUN_CONF_ADDRESS, bytes_of(apart6))
        .add(HRUN_CONF_ROUTE, bytes_of(gateway))
        .add(HRUN_CONF_ROUTE, bytes_of(direct))
        .add(HRUN_CONF_ROUTE, bytes_of(far))
        .add(HRUN_CONF_ROUTE, bytes_of(six));
    const std::string output =
        machine.run_shell("ip route; ip -6 route | grep -v ^fe80; ip -o addr show eth0").output;
    CAPTURE(output);
    CHECK(output.starts_with("default via 169.254.1.1 dev eth0 \n"
                             "169.254.1.1 dev eth0 scope link \n"
                             "192.0.2.0/24 via 198.51.100.1 dev eth0  metric 9 onlink \n"
                             "default via fe80::1 dev eth0  metric 77"));
    CHECK(output.find("inet 10.8.0.5/16") != std::string::npos);
    CHECK(output.find("inet6 fd00::5/64") != std::string::npos);
}

TEST_CASE("an interface that was given no IPv6 address has none") {
    REQUIRE_RIG();
    Machine machine;
    const uint32_t slot = machine.rig.add_interface();
    machine.configure.add(HRUN_CONF_NIC, nic(slot, "eth0", 2)).add(HRUN_CONF_ADDRESS, ipv4(slot, 0, 2, 16));
    CHECK(machine.run_shell("grep -c ' eth0$' /proc/net/if_inet6; ip route").output ==
          "0\n172.31.0.0/16 dev eth0 scope link  src 172.31.0.2 \n");
}

TEST_CASE("two interfaces get the names that they are to have, the other's included, and the lower metric "
          "the packets") {
    REQUIRE_RIG();
    Machine machine;
    const uint32_t first = machine.rig.add_interface();
    const uint32_t second = machine.rig.add_interface();
    machine.configure.add(HRUN_CONF_NIC, nic(first, "eth1", 1, 3))
        .add(HRUN_CONF_NIC, nic(second, "eth0", 2, 4));
    machine.configure.add(HRUN_CONF_ADDRESS, ipv4(first, 1, 2, 24))
        .add(HRUN_CONF_ADDRESS, ipv4(second, 2, 2, 24))
        .add(HRUN_CONF_GATEWAY, ipv4(first, 1, 1, 0))
        .add(HRUN_CONF_GATEWAY, ipv4(second, 2, 1, 0));
    machine.configure.add(HRUN_CONF_ADDRESS, ipv6(first, 2, 64)).add(HRUN_CONF_ADDRESS, ipv6(second, 3, 64));
    machine.configure.add(HRUN_CONF_GATEWAY, ipv6(first, 8, 0)).add(HRUN_CONF_GATEWAY, ipv6(second, 9, 0));
    CHECK(machine
              .run_shell("cat /sys/class/net/eth0/address /sys/class/net/eth1/address; "
                         "ip route get 9.9.9.9 | head -1 | cut -d ' ' -f 3; "
                         "ip -6 route show default | sort -k7n | head -1 | cut -d ' ' -f 3")
              .output == "02:42:ac:1f:00:02\n02:42:ac:1f:00:01\n172.31.1.1\nfd00::8\n");
}

TEST_CASE("a slot without a network interface is an error that names it") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add(HRUN_CONF_NIC, nic(0, "eth0", 1)); // the layer's
    std::string text;
    try {
        machine.open();
    } catch (const std::exception& error) {
        text = error.what();
    }
    CHECK(text.find("slot 0: bind virtio-mmio.0") != std::string::npos);
}
