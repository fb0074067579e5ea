// SPDX-License-Identifier: Apache-2.0
// Network namespaces that a file keeps, what is in them, and a wire from a tap interface to one of theirs.
#include "net/namespace.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "net/interface_facts.h"
#include "net/links.h"
#include "own_network.h"
#include "station.h"

using namespace hrun;
using namespace hrun::net;
using namespace hrun::net::test;

namespace {

constexpr Mac kOwn{0x02, 0x42, 10, 1, 0, 5}, kOther{0x02, 0x42, 10, 1, 0, 6};

bool shell(const std::string& script) {
    return system(script.c_str()) == 0;
}

std::string text(const Route& route) {
    return to_text(route.destination.ip()) + "/" + std::to_string(route.destination.prefix) +
           (route.gateway ? " via " + to_text(*route.gateway) : "") + (route.on_link ? " onlink" : "");
}

std::vector<std::string> sorted(std::vector<std::string> list) {
    std::sort(list.begin(), list.end());
    return list;
}

} // namespace

// Its mount is in a mount namespace of the test's own: whatever happens, nothing stays.
TEST_CASE("a network namespace is kept by its path, which is another's network, and goes with it") {
    std::thread([] {
        if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
            mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
            MESSAGE("skipped: this host cannot give a test namespaces");
            return;
        }
        char directory[] = "/tmp/hrun-test-XXXXXX";
        REQUIRE(mkdtemp(directory));
        const std::string path = std::string(directory) + "/spaces/one";
        REQUIRE(create_namespace(path));
        const auto again = create_namespace(path);
        REQUIRE_FALSE(again);
        CHECK(again.error().code == EEXIST);
        REQUIRE(in_namespace(path, []() -> Result<void> {
            auto links = Links::open();
            CHECK(links->list()->size() == 1);
            return links->ensure_bridge({"inside0", {}, 1500});
        }));
        CHECK(Links::open()->list()->size() == 1);
        REQUIRE(in_namespace(path, []() -> Result<void> {
            CHECK(Links::open()->list()->size() == 2);
            return {};
        }));
        CHECK(in_namespace(path, []() -> Result<void> { return Error{EBUSY, "try"}; }).error().code == EBUSY);
        REQUIRE(remove_namespace(path));
        CHECK_FALSE(std::filesystem::exists(path));
        CHECK(remove_namespace(path));
        CHECK(in_namespace(path, []() -> Result<void> { return {}; }).error().code == ENOENT);
        std::ofstream(path) << "no namespace";
        CHECK(remove_namespace(path));
        CHECK_FALSE(std::filesystem::exists(path));
        std::filesystem::remove_all(directory);
    }).join();
}

TEST_CASE("an interface is described as others have made it") {
    in_own_network([] {
        REQUIRE(shell("ip link add eth0 type veth peer name far0 && ip link set eth0 mtu 1400 address "
                      "02:42:0a:01:00:05 up && ip link set far0 up && ip addr add 10.1.0.5/24 dev eth0 && "
                      "ip addr add 10.9.9.9/32 dev eth0 && ip addr add 10.8.0.5/16 noprefixroute dev eth0 && "
                      "ip addr add fd00::5/64 nodad dev eth0 && ip route add 169.254.1.1 dev eth0 && "
                      "ip route add default via 10.1.0.1 && ip -6 route add default via fd00::1 metric 7 && "
                      "ip route add 192.0.2.0/24 via 198.51.100.1 dev eth0 onlink && "
                      "ip route add 203.0.113.0/24 via 10.1.0.9 table 7"));
        auto facts = describe_interface("eth0");
        REQUIRE(facts);
        REQUIRE(*facts);
        CHECK((*facts)->mac == kOwn);
        CHECK((*facts)->mtu == 1400);
        CHECK((*facts)->up);
        std::vector<std::string> addresses, routes;
        for (const HeldAddress& held : (*facts)->addresses)
            addresses.push_back(to_text(held.address.ip()) + "/" + std::to_string(held.address.prefix) +
                                (held.connected ? "" : " apart"));
        CHECK(sorted(addresses) ==
              std::vector<std::string>{"10.1.0.5/24", "10.8.0.5/16 apart", "10.9.9.9/32", "fd00::5/64"});
        for (const Route& route : (*facts)->routes)
            routes.push_back(text(route));
        CHECK(sorted(routes) == std::vector<std::string>{"0.0.0.0/0 via 10.1.0.1", "169.254.1.1/32",
                                                         "192.0.2.0/24 via 198.51.100.1 onlink",
                                                         "::/0 via fd00::1"});
        const auto six =
            std::find_if((*facts)->routes.begin(), (*facts)->routes.end(),
                         [](const Route& route) { return route.destination.family == AF_INET6; });
        CHECK(six->metric == 7);
        CHECK_FALSE(*describe_interface("eth1"));
    });
}

TEST_CASE(
    "a tap and another interface are a wire, which lets in nothing from other addresses, and is made anew") {
    in_own_network([] {
        REQUIRE(shell("ip link add eth0 type veth peer name far0 && ip link set eth0 up && "
                      "ip link set far0 up && ip addr add 10.1.0.5/24 dev eth0"));
        for (int run = 0; run < 2; ++run) {
            CAPTURE(run);
            Fd tap = open_tap("tap0");
            auto links = Links::open();
            REQUIRE(links->splice("tap0", {"eth0", {kOwn, {*parse_address("10.1.0.5/24")}}, 1500, {}}));
            const auto leaves = [&](const std::string& packet) {
                const uint64_t before = received("far0");
                CHECK(write(tap.get(), packet.data(), packet.size()) == static_cast<ssize_t>(packet.size()));
                return received("far0") > before;
            };
            constexpr std::array<uint8_t, 4> kAddress{10, 1, 0, 5}, kOthers{10, 1, 0, 6};
            CHECK(leaves(frame(kOwn, 0x0800, kAddress, {}, {10, 1, 0, 1})));
            CHECK_FALSE(leaves(frame(kOther, 0x0800, kAddress, {}, {10, 1, 0, 1})));
            CHECK_FALSE(leaves(frame(kOwn, 0x0800, kOthers, {}, {10, 1, 0, 1})));
            CHECK_FALSE(leaves(frame(kOwn, 0x0806, kOthers, kOwn)));

            // What comes for the machine comes to it, and the namespace, which has its address too, hears nothing.
            std::array<char, 2048> buffer;
            while (read(tap.get(), buffer.data(), buffer.size()) > 0) {
            }
            REQUIRE(shell(
                "ip neigh replace 10.1.0.5 lladdr 02:42:0a:01:00:05 dev far0; "
                "ip route replace 10.1.0.5 dev far0 table 9; ip rule add to 10.1.0.5 table 9 2>/dev/null; "
                "busybox arping -c 1 -w 1 -I far0 10.1.0.5 >/dev/null 2>&1; true"));
            bool came = false;
            for (ssize_t size; (size = read(tap.get(), buffer.data(), buffer.size())) > 0;)
                came = came || (size > 24 && buffer[10 + 12] == 8 && buffer[10 + 13] == 6);
            CHECK(came);
            tap.reset();
            CHECK_FALSE(*links->find("tap0"));
        }
        auto links = Links::open();
        const Fd tap = open_tap("tap0");
        CHECK(links->splice("tap0", {"eth1", {kOwn, {}}, 1500, {}}).error().code == ENODEV);
    });
}
