// SPDX-License-Identifier: Apache-2.0
#include "monitor/configure_payload.h"

#include <time.h>

#include <cstring>

#include "doctest/doctest.h"
#include "protocol.h"

using namespace hrun;

namespace {

// The value of the TLV at `at`, which moves on behind it.
std::string_view take(std::string_view payload, size_t& at, uint16_t tag) {
    hrun_tlv tlv;
    REQUIRE(at + sizeof tlv <= payload.size());
    std::memcpy(&tlv, payload.data() + at, sizeof tlv);
    CHECK(tlv.tag == tag);
    CHECK(tlv.reserved == 0);
    const std::string_view value = payload.substr(at + sizeof tlv, tlv.length);
    REQUIRE(value.size() == tlv.length);
    at += sizeof tlv + tlv.length;
    return value;
}

} // namespace

TEST_CASE("the agent gets what was stored, then fresh entropy and the present time") {
    auto payload = monitor::configure_payload("stored");
    REQUIRE(payload);
    CHECK(payload->starts_with("stored"));
    size_t at = 6;
    const std::string entropy(take(*payload, at, HRUN_CONF_ENTROPY));
    CHECK(entropy.size() == 64);
    uint64_t time_ns;
    const auto value = take(*payload, at, HRUN_CONF_TIME);
    REQUIRE(value.size() == sizeof time_ns);
    std::memcpy(&time_ns, value.data(), sizeof time_ns);
    CHECK(time_ns / 1000000000 + 60 > static_cast<uint64_t>(time(nullptr)));
    CHECK(time_ns / 1000000000 <= static_cast<uint64_t>(time(nullptr)) + 1); // its clock lags by up to a tick
    CHECK(at == payload->size());

    auto other = monitor::configure_payload("stored");
    REQUIRE(other);
    CHECK(other->find(entropy) == std::string::npos);
}

TEST_CASE("a machine without networks is told of none, and of all else") {
    const auto tlv = [](uint16_t tag, const std::string& value) {
        const hrun_tlv head{tag, 0, static_cast<uint32_t>(value.size())};
        return std::string(reinterpret_cast<const char*>(&head), sizeof head) + value;
    };
    const std::string before = tlv(HRUN_CONF_HOSTNAME, "a"), after = tlv(HRUN_CONF_FILE, "b");
    CHECK(monitor::without_networks(before + tlv(HRUN_CONF_NIC, "nic") + tlv(HRUN_CONF_GATEWAY, "") +
                                    after) == before + after);
    CHECK(monitor::without_networks(before + "stray") == before + "stray");
}

TEST_CASE("disks are in the slots of the machine that they are plugged into") {
    const auto tlv = [](uint16_t tag, const std::string& value) {
        const hrun_tlv head{tag, 0, static_cast<uint32_t>(value.size())};
        return std::string(reinterpret_cast<const char*>(&head), sizeof head) + value;
    };
    const auto slot = [](uint32_t number) {
        return std::string(reinterpret_cast<const char*>(&number), sizeof number);
    };
    const auto mount = [](const std::string& type, const std::string& source) {
        return type + '\0' + source + '\0' + "/data" + '\0' + "rw";
    };
    const std::map<unsigned, unsigned> slots{{2, 7}, {3, 8}, {18, 9}};
    const std::string rest = tlv(HRUN_CONF_HOSTNAME, "a") + tlv(HRUN_CONF_LAYER, "odd") +
                             tlv(HRUN_CONF_MOUNT, mount("tmpfs", "2")) +
                             tlv(HRUN_CONF_MOUNT, mount("disk", "x"));
    const std::string stored = tlv(HRUN_CONF_LAYER, slot(3)) + tlv(HRUN_CONF_LAYER, slot(4)) +
                               tlv(HRUN_CONF_WRITABLE, slot(2)) + tlv(HRUN_CONF_MOUNT, mount("disk", "18"));
    CHECK(monitor::with_slots(stored + rest + "stray", slots) ==
          tlv(HRUN_CONF_LAYER, slot(8)) + tlv(HRUN_CONF_LAYER, slot(4)) + tlv(HRUN_CONF_WRITABLE, slot(7)) +
              tlv(HRUN_CONF_MOUNT, mount("disk", "9")) + rest + "stray");
}

TEST_CASE("a payload that leaves no room for them is refused") {
    CHECK_FALSE(monitor::configure_payload(std::string(HRUN_MAX_PAYLOAD, 'x')));
}
