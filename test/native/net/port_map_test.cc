// SPDX-License-Identifier: Apache-2.0
// In a network namespace of the test's own, against nft(8).
#include "net/port_map.h"

#include <netinet/in.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "own_network.h"

using namespace hrun;
using namespace hrun::net;

namespace {

const Ip kAny{}, kLoopback = *parse_ip("127.0.0.1"), kOne = *parse_ip("172.31.0.2"),
                 kOther = *parse_ip("172.31.0.3"), kAny6 = *parse_ip("::"), kLoopback6 = *parse_ip("::1"),
                 kSix = *parse_ip("fd00:1::2");

constexpr char kTable[] =
    "nft -f - <<E\n"
    "table inet t {\n"
    "map published { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
    "map published_at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n"
    "map published6 { type inet_proto . inet_service : ipv6_addr . inet_service; }\n"
    "map published6_at { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }\n"
    "}\nE";

// Elements of both maps as nft(8) lists them, without blanks.
std::string elements() {
    std::string text;
    FILE* list =
        popen("nft list table inet t | tr -d ' \\t\\n' | grep -o 'elements={[^}]*}' | tr -d '\\n'", "r");
    for (int byte = fgetc(list); byte != EOF; byte = fgetc(list))
        text += static_cast<char>(byte);
    pclose(list);
    return text;
}

template <class Body> void with_table(const Body& body) {
    test::in_own_network([&] {
        auto map = PortMap::open("t");
        if (map && system(kTable) == 0)
            body(*map);
        else
            MESSAGE("skipped: this host cannot make a table with nft");
    });
}

} // namespace

TEST_CASE("ports are mapped for every address and for one, and unmapped again") {
    with_table([](PortMap& map) {
        const std::vector<PortMapping> mappings{{IPPROTO_TCP, kAny, 8080, kOne, 80},
                                                {IPPROTO_UDP, kLoopback, 53, kOne, 5353}};
        REQUIRE(map.add(mappings));
        CHECK(elements() == "elements={tcp.8080:172.31.0.2.80}elements={127.0.0.1.udp.53:172.31.0.2.5353}");
        REQUIRE(map.add(mappings));
        REQUIRE(map.remove({mappings.data(), 1}));
        CHECK(elements() == "elements={127.0.0.1.udp.53:172.31.0.2.5353}");
        REQUIRE(map.remove(mappings)); // one of them is gone already
        CHECK(elements().empty());
    });
}

TEST_CASE("ports of both families are mapped at once") {
    with_table([](PortMap& map) {
        const std::vector<PortMapping> mappings{{IPPROTO_TCP, kAny, 8080, kOne, 80},
                                                {IPPROTO_TCP, kAny6, 8080, kSix, 80},
                                                {IPPROTO_UDP, kLoopback6, 53, kSix, 5353}};
        REQUIRE(map.add(mappings));
        CHECK(elements() == "elements={tcp.8080:172.31.0.2.80}elements={tcp.8080:fd00:1::2.80}"
                            "elements={::1.udp.53:fd00:1::2.5353}");
        REQUIRE(map.remove(mappings));
        CHECK(elements().empty());
    });
}

TEST_CASE("a port that was another's is this one's") {
    with_table([](PortMap& map) {
        const PortMapping before{IPPROTO_TCP, kAny, 8080, kOne, 80};
        const std::vector<PortMapping> after{{IPPROTO_TCP, kAny, 8080, kOther, 81},
                                             {IPPROTO_TCP, kAny, 8081, kOther, 82}};
        REQUIRE(map.add({&before, 1}));
        REQUIRE(map.add(after));
        CHECK(elements() == "elements={tcp.8080:172.31.0.3.81,tcp.8081:172.31.0.3.82}");
    });
}

TEST_CASE("as many as may be go into one transaction") {
    with_table([](PortMap& map) {
        std::vector<PortMapping> mappings;
        for (uint16_t port = 1; port <= kMaxPortMappings; ++port)
            for (const bool six : {false, true})
                mappings.push_back(
                    {IPPROTO_TCP, six ? kLoopback6 : kLoopback, port, six ? kSix : kOne, port});
        REQUIRE(map.add(mappings));
        CHECK(elements().find("127.0.0.1.tcp.1024:172.31.0.2.1024") != std::string::npos);
        CHECK(elements().find("::1.tcp.1024:fd00:1::2.1024") != std::string::npos);
        REQUIRE(map.remove(mappings));
        CHECK(elements().empty());
    });
}

TEST_CASE("a table that is not there is an error for adding, and fine for removing") {
    test::in_own_network([] {
        const PortMapping mapping{IPPROTO_TCP, kAny, 8080, kOne, 80};
        auto opened = PortMap::open("t");
        REQUIRE(opened);
        PortMap& map = *opened;
        const auto mapped = map.add({&mapping, 1});
        REQUIRE_FALSE(mapped);
        CHECK(mapped.error().code == ENOENT);
        CHECK(map.remove({&mapping, 1}));
        CHECK(map.add({}));
    });
}
