// SPDX-License-Identifier: Apache-2.0
// In a network namespace of the test's own, against nft(8).
#include "net/allowed_addresses.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "own_network.h"

using namespace hrun;
using namespace hrun::net;

namespace {

constexpr char kTable[] =
    "nft add table inet t; nft 'add set inet t named_00112233445566aa { type "
    "ipv4_addr; flags timeout; size 2; }'; nft 'add set inet t named6_00112233445566aa { "
    "type ipv6_addr; flags timeout; size 2; }'";
const std::string kId = "00112233445566aa" + std::string(48, '7'), kOther(64, '8');

// The set's elements as nft(8) lists them, up to the time that is left.
std::string elements() {
    std::string text;
    FILE* list = popen(
        "nft list table inet t | grep -oE '(192|2001)[^,]* expires' | sed 's/ expires//' | sort | tr '\\n' ,",
        "r");
    for (int byte = fgetc(list); byte != EOF; byte = fgetc(list))
        text += static_cast<char>(byte);
    pclose(list);
    return text;
}

} // namespace

TEST_CASE("an address is allowed for a time, which begins anew when it is allowed again") {
    test::in_own_network([] {
        auto allowed = AllowedAddresses::open("t");
        if (!allowed || system(kTable) != 0) {
            MESSAGE("skipped: this host cannot make a table with nft");
            return;
        }
        CHECK(allowed->allow(kId, *parse_ip("192.0.2.1"), 60));
        CHECK(elements() == "192.0.2.1 timeout 1m,");
        CHECK(allowed->allow(kId, *parse_ip("192.0.2.1"), 3600));
        CHECK(allowed->allow(kId, *parse_ip("192.0.2.2"), 300));
        CHECK(elements() == "192.0.2.1 timeout 1h,192.0.2.2 timeout 5m,");
        CHECK(allowed->allow(kId, *parse_ip("192.0.2.3"), 300).error().code == ENFILE);
        CHECK(allowed->allow(kId, *parse_ip("2001:db8::1"), 300));
        CHECK(elements() == "192.0.2.1 timeout 1h,192.0.2.2 timeout 5m,2001:db8::1 timeout 5m,");
        CHECK(allowed->allow(kOther, *parse_ip("192.0.2.3"), 300).error().code == ENOENT);
    });
}
