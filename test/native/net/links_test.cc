// SPDX-License-Identifier: Apache-2.0
// In a network namespace of the test's own.
#include "net/links.h"

#include <doctest/doctest.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cstdio>
#include <cstring>
#include <memory>

#include "own_network.h"
#include "station.h"

using namespace hrun;
using namespace hrun::net;
using namespace hrun::net::test;

namespace {

// What of the kernel's keeps the packets that are to go out by an interface, as ip(8) shows it.
std::string root_queue(const std::string& name) {
    const std::unique_ptr<FILE, int (*)(FILE*)> ip(popen(("ip -o link show dev " + name).c_str(), "r"),
                                                   pclose);
    char line[1024] = {};
    REQUIRE(fgets(line, sizeof line, ip.get()));
    std::istringstream words(line);
    for (std::string word; words >> word;)
        if (word == "qdisc" && words >> word)
            return word;
    return "";
}

Bridge bridge_of(uint32_t mtu) {
    return {"hrun0", {*parse_address("172.31.0.1/16"), *parse_address("fd00::1/64")}, mtu};
}

} // namespace

TEST_CASE("a bridge is made once, gets what it lacks, and goes") {
    in_own_network([] {
        auto links = Links::open();
        REQUIRE(links);
        for (const uint32_t mtu : {1500u, 1400u}) {
            REQUIRE(links->ensure_bridge(bridge_of(mtu)));
            auto found = links->find("hrun0");
            REQUIRE(found);
            REQUIRE(*found);
            CHECK((*found)->kind == "bridge");
            CHECK((*found)->up);
            CHECK((*found)->mtu == mtu);
        }
        CHECK(links->list()->size() == 2); // and the loopback
        CHECK(links->remove("hrun0"));
        CHECK(links->remove("hrun0"));
        CHECK(links->list()->size() == 1);
    });
}

TEST_CASE("a bridge keeps its address, whoever comes and goes") {
    in_own_network([] {
        auto links = Links::open();
        REQUIRE(links->ensure_bridge(bridge_of(1500)));
        const Mac address{0x02, 0x42, 172, 31, 0, 1};
        CHECK((*links->find("hrun0"))->mac == address);
        {
            const Fd tap = open_tap("tap0");
            ifreq request{};
            strncpy(request.ifr_name, "tap0", IFNAMSIZ - 1);
            request.ifr_hwaddr = {1, {0, 0, 0, 0, 0, 1}}; // lower than any
            const Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
            REQUIRE(ioctl(any.get(), SIOCSIFHWADDR, &request) == 0);
            REQUIRE(links->connect("tap0", {"hrun0", {{2, 0x42, 172, 31, 0, 2}, {}}, 1500}));
            CHECK((*links->find("hrun0"))->mac == address);
        }
        CHECK((*links->find("hrun0"))->mac == address);
    });
}

TEST_CASE("a tap interface of several queues is given no others when it comes up") {
    in_own_network([] {
        auto links = Links::open();
        REQUIRE(links->ensure_bridge(bridge_of(1500)));
        const Fd taps[] = {open_tap("tap0", IFF_MULTI_QUEUE), open_tap("tap0", IFF_MULTI_QUEUE)};
        REQUIRE(links->keep_no_packets("tap0"));
        REQUIRE(links->connect("tap0", {"hrun0", {{2, 0x42, 172, 31, 0, 2}, {}}, 1500}));
        CHECK(root_queue("tap0") == "noqueue");
        CHECK(links->keep_no_packets("tap1").error().code == ENODEV);
    });
}

TEST_CASE("an interface of another kind with the bridge's name is left alone") {
    in_own_network([] {
        const Fd tap = open_tap("hrun0");
        auto links = Links::open();
        const auto done = links->ensure_bridge(bridge_of(1500));
        REQUIRE_FALSE(done);
        CHECK(done.error().message() == "create bridge hrun0: File exists");
    });
}

TEST_CASE("a port takes packets from its own addresses only, by each of its queues, and goes with its "
          "descriptors") {
    in_own_network([] {
        const Mac own{0x02, 0x42, 0xac, 0x1f, 0, 2}, other{0x02, 0x42, 0xac, 0x1f, 0, 3};
        auto links = Links::open();
        REQUIRE(links->ensure_bridge(bridge_of(1400)));
        std::vector<Fd> queues;
        while (queues.size() < 3)
            queues.push_back(open_tap("tap0", IFF_MULTI_QUEUE));
        REQUIRE(links->keep_no_packets("tap0"));
        REQUIRE(links->connect("tap0", {"hrun0", {own, {*parse_address("172.31.0.2/16")}}, 1400}));
        auto port = links->find("tap0");
        CHECK((*port)->kind == "tun");
        CHECK((*port)->up);
        CHECK((*port)->mtu == 1400);
        CHECK((*port)->bridge == (*links->find("hrun0"))->index);
        constexpr std::array<uint8_t, 4> kOwn{172, 31, 0, 2}, kOther{172, 31, 0, 3}, kNone{};
        for (const Fd& queue : queues) {
            const auto passes = [&](const std::string& packet) {
                const uint64_t before = received("hrun0");
                CHECK(write(queue.get(), packet.data(), packet.size()) ==
                      static_cast<ssize_t>(packet.size()));
                return received("hrun0") > before;
            };
            CHECK(passes(frame(own, 0x0800, kOwn)));
            CHECK_FALSE(passes(frame(other, 0x0800, kOwn)));
            CHECK_FALSE(passes(frame(own, 0x0800, kOther)));
            CHECK_FALSE(passes(frame(own, 0x0800, kOwn, {}, {127, 0, 0, 1})));
            CHECK(passes(frame(own, 0x0806, kOwn, own)));
            CHECK(passes(frame(own, 0x0806, kNone, own)));
            CHECK_FALSE(passes(frame(own, 0x0806, kOther, own)));
            CHECK_FALSE(passes(frame(own, 0x0806, kOwn, other)));
            CHECK_FALSE(passes(frame(own, 0x86dd, kOwn)));
            CHECK_FALSE(passes(frame(own, 0x8100, kOwn)));
        }
        queues.resize(1);
        CHECK(*links->find("tap0"));
        queues.clear();
        CHECK_FALSE(*links->find("tap0"));
    });
}

TEST_CASE(
    "a port takes IPv6 packets from its own addresses only, and no word of routers and other neighbours") {
    in_own_network([] {
        const Mac own{0x02, 0x42, 0xac, 0x1f, 0, 2}, other{0x02, 0x42, 0xac, 0x1f, 0, 3};
        constexpr char kOwn[] = "fd00::2", kLocal[] = "fe80::42:acff:fe1f:2", kOther[] = "fd00::3",
                       kOtherLocal[] = "fe80::42:acff:fe1f:3";
        constexpr uint8_t kTcp = 6, kIcmp = 58, kFragment = 44;
        constexpr uint8_t kEcho = 128, kSolicitation = 135, kAdvertisement = 136;
        auto links = Links::open();
        REQUIRE(links->ensure_bridge(bridge_of(1400)));
        const Fd tap = open_tap("tap0");
        REQUIRE(links->connect("tap0", {"hrun0",
                                        {own,
                                         {*parse_address("172.31.0.2/16"), *parse_address("fd00::2/64"),
                                          *parse_address("fd00::9/64")}},
                                        1400}));
        const auto passes = [&](const std::string& packet) {
            const uint64_t before = received("hrun0");
            CHECK(write(tap.get(), packet.data(), packet.size()) == static_cast<ssize_t>(packet.size()));
            return received("hrun0") > before;
        };
        const auto icmp = [&](const char* from, const std::string& word,
                              const Mac& mac = Mac{0x02, 0x42, 0xac, 0x1f, 0, 2}) {
            return passes(frame6(mac, from, kIcmp, word));
        };
        const std::string echo = std::string(1, static_cast<char>(kEcho)) + std::string(7, '\0');
        for (const char* from : {kOwn, "fd00::9", kLocal})
            CHECK(icmp(from, echo));
        for (const char* from :
             {kOther, kOtherLocal, "::", "::1", "fd00::1:2", "fd00:0:0:1::2", "fe80::2", "ff02::1"}) {
            CAPTURE(from);
            CHECK_FALSE(icmp(from, echo));
            CHECK_FALSE(passes(frame6(own, from, kTcp, echo)));
        }
        CHECK_FALSE(icmp(kOwn, echo, other));
        CHECK(passes(frame6(own, kOwn, kTcp, std::string(20, '\0'))));

        for (const char* from : {kOwn, kLocal}) {
            CHECK(icmp(from, neighbour_word(kSolicitation, kOther)));
            CHECK(icmp(from, neighbour_word(kSolicitation, kOther, 1, own)));
            CHECK_FALSE(icmp(from, neighbour_word(kSolicitation, kOther, 1, other)));
            CHECK_FALSE(icmp(from, neighbour_word(kSolicitation, kOther, 2, own)));
            CHECK_FALSE(icmp(from, neighbour_word(kSolicitation, kOther, 1, own) +
                                       neighbour_word(kSolicitation, kOther, 1, other).substr(24)));
            CHECK(icmp(from, neighbour_word(kAdvertisement, kOwn)));
            CHECK(icmp(from, neighbour_word(kAdvertisement, kOwn, 2, own)));
            CHECK(icmp(from, neighbour_word(kAdvertisement, kLocal, 2, own)));
            CHECK_FALSE(icmp(from, neighbour_word(kAdvertisement, kOwn, 2, other)));
            CHECK_FALSE(icmp(from, neighbour_word(kAdvertisement, kOther, 2, own)));
            CHECK_FALSE(icmp(from, neighbour_word(kAdvertisement, "fd00::1")));
            for (const int router : {134, 137, 138})
                CHECK_FALSE(icmp(from, neighbour_word(static_cast<uint8_t>(router), kOwn, 1, own)));
        }
        CHECK_FALSE(icmp("::", neighbour_word(kSolicitation, kOwn)));

        // Nothing hides behind an extension header, nor in a fragment.
        const auto behind = [](uint8_t next, const std::string& word, uint8_t offset = 0) {
            return std::string(1, static_cast<char>(next)) + std::string(2, '\0') +
                   static_cast<char>(offset) + std::string(4, '\0') + word;
        };
        for (const int header : {0, 43, 51, 60, 135, 139, 140}) {
            CAPTURE(header);
            CHECK_FALSE(passes(frame6(own, kOwn, static_cast<uint8_t>(header), behind(kIcmp, echo))));
            CHECK_FALSE(passes(
                frame6(own, kOwn, kFragment, behind(static_cast<uint8_t>(header), behind(kIcmp, echo)))));
        }
        CHECK_FALSE(passes(frame6(own, kOwn, kFragment, behind(kFragment, behind(kIcmp, echo)))));
        CHECK(passes(frame6(own, kOwn, kFragment, behind(kIcmp, echo))));
        CHECK(passes(frame6(own, kOwn, kFragment, behind(17, echo))));
        for (const int word : {134, 135, 136, 137, 138}) {
            const std::string told = neighbour_word(static_cast<uint8_t>(word), kOwn, 2, own);
            CHECK_FALSE(passes(frame6(own, kOwn, kFragment, behind(kIcmp, told))));
            CHECK(passes(frame6(own, kOwn, kFragment,
                                behind(kIcmp, told, 8)))); // no first part: nobody makes sense of it
        }
    });
}

TEST_CASE("what is to be connected to a bridge that is not there is an error that names it") {
    in_own_network([] {
        const Fd tap = open_tap("tap0");
        auto links = Links::open();
        const auto done = links->connect("tap0", {"hrun9", {Mac{2}, {}}, 1500});
        REQUIRE_FALSE(done);
        CHECK(done.error().message() == "connect to bridge hrun9: No such device");
    });
}
