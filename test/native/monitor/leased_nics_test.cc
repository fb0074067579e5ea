// SPDX-License-Identifier: Apache-2.0
#include "monitor/leased_nics.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "temporary_directory.h"

namespace hrun::monitor {
namespace {

const std::string kId(64, 'a');

struct Store {
    Store() {
        std::filesystem::create_directories(root + "/containers/" + kId);
        std::filesystem::create_directories(root + "/networks/db/leases");
        write("db/network.json", R"({"bridge":"hrun3"})");
        write("db/leases/10.5.0.2", kId);
        write("db/leases/10.5.0.3", std::string(64, 'b'));
        write("db/leases/fd00:1::2", kId);
    }
    void write(const std::string& name, const std::string& text) {
        std::ofstream(root + "/networks/" + name) << text;
    }
    bool leased(const NicConfig& nic) const { return are_leased({nic}, root + "/containers/" + kId); }

    test::TemporaryDirectory directory;
    std::string root = directory.path;
};

Ip ipv4(uint8_t last) {
    return *parse_ip("10.5.0." + std::to_string(last));
}

net::Address address(uint8_t last) {
    return {AF_INET, 24, ipv4(last).bytes};
}

net::Address address6(const char* text) {
    return {AF_INET6, 64, parse_ip(text)->bytes};
}

NicConfig nic() {
    NicConfig nic{};
    nic.slot = 19;
    nic.bridge = "hrun3";
    nic.tap = "hrunaaaaaaaaaa0";
    nic.addresses = {address(2)};
    nic.network = "db";
    return nic;
}

PortRequest port(uint8_t last) {
    return {IPPROTO_TCP, {}, 8080, 8080, ipv4(last), 80, {}};
}

} // namespace

TEST_CASE("an interface is the container's when the store has leased its addresses to it, on the network's "
          "bridge") {
    Store store;
    CHECK(store.leased(nic()));
    NicConfig other = nic();
    other.addresses.push_back(address6("fd00:1::2"));
    CHECK(store.leased(other));
    SUBCASE("an IPv6 address of nobody") {
        other.addresses.push_back(address6("fd00:1::3"));
    }
    SUBCASE("an address of another container") {
        other.addresses.push_back(address(3));
    }
    SUBCASE("an address of nobody") {
        other.addresses = {address(4)};
    }
    SUBCASE("a bridge of no network") {
        other.bridge = "docker0";
    }
    SUBCASE("names in another network") {
        other.network = "web";
    }
    SUBCASE("the tap of another container") {
        other.tap = "hrunbbbbbbbbbb0";
    }
    CHECK_FALSE(store.leased(other));
}

TEST_CASE("an interface inside of a namespace is the container's when its CNI network's record says so") {
    Store store;
    NicConfig inside = nic();
    inside.bridge = "";
    inside.inside = {"/run/netns/hrun-aaaaaaaaaaaa", "eth0"};
    CHECK_FALSE(store.leased(inside));
    std::filesystem::create_directories(store.root + "/networks/.cni");
    store.write(".cni/" + kId, R"({"namespace":"/run/netns/hrun-aaaaaaaaaaaa"})");
    CHECK(store.leased(inside));
    inside.inside->name_space = "/run/netns/hrun-bbbbbbbbbbbb";
    CHECK_FALSE(store.leased(inside));
}

TEST_CASE("ports follow the container's addresses, and are no others than before") {
    PortsConfig ports{"t", {port(9)}};
    PortsConfig wanted{"t", {port(2), port(2)}};
    wanted.publish[1].first_host_port = 22;
    redirect_ports(ports, wanted, {nic()});
    REQUIRE(ports.publish.size() == 1);
    CHECK(ports.publish[0].address == ipv4(2));
    for (auto spoil :
         {+[](PortRequest& other) { other.address = ipv4(7); },
          +[](PortRequest& other) { other.address.reset(); }, +[](PortRequest& other) { other.port = 22; },
          +[](PortRequest& other) { other.first_host_port = 1; },
          +[](PortRequest& other) { other.host = ipv4(1); }}) {
        wanted.publish[0] = port(2);
        spoil(wanted.publish[0]);
        redirect_ports(ports, wanted, {nic()});
        CHECK_FALSE(ports.publish[0].address.has_value());
    }
    NicConfig both = nic();
    both.addresses.push_back(address6("fd00:1::2"));
    wanted.publish[0] = port(2);
    for (const char* six : {"fd00:1::2", "fd00:1::3"}) {
        wanted.publish[0].address6 = parse_ip(six);
        redirect_ports(ports, wanted, {both});
        CHECK(ports.publish[0].address6.has_value() == (std::string(six) == "fd00:1::2"));
    }
    redirect_ports(ports, wanted, {});
    CHECK_FALSE(ports.publish[0].address.has_value());
    wanted.publish[0].host = Ip{AF_INET6, {}};
    wanted.publish[0].address = parse_ip("fd00:1::2");
    wanted.publish[0].address6.reset();
    redirect_ports(ports, wanted, {both});
    CHECK(ports.publish[0].host == Ip{AF_INET6, {}});
    CHECK(ports.publish[0].address == parse_ip("fd00:1::2"));
}

TEST_CASE("a restart takes up lower rates of interfaces, and no higher ones, whatever joined meanwhile") {
    const std::vector<NicConfig> before(1, [] {
        NicConfig limited = nic();
        limited.rates = {100, 0};
        return limited;
    }());
    std::vector<NicConfig> after(3, nic());
    after[0].rates = {0, 0};
    after[1].rates = {200, 50};
    after[2].rates = {10, 0};
    keep_rates(after, before);
    CHECK(after[0].rates == net::Rates{100, 0});
    CHECK(after[1].rates == net::Rates{100, 50});
    CHECK(after[2].rates == net::Rates{10, 0});
}

} // namespace hrun::monitor
