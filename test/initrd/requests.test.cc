// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cstring>
#include <string>

extern "C" {
#include "configure.h"
#include "mount_options.h"
#include "network_request.h"
#include "protocol.h"
#include "start_request.h"
#include "sysctl.h"
}

#include <linux/mount.h>

namespace {

std::string tlv_bytes(uint16_t tag, const std::string& value) {
    hrun_tlv header{tag, 0, static_cast<uint32_t>(value.size())};
    return std::string(reinterpret_cast<char*>(&header), sizeof(header)) + value;
}

template <class T> std::string bytes_of(T value) {
    return std::string(reinterpret_cast<char*>(&value), sizeof(value));
}

// The error of a CONFIGURE payload, or "" when it is taken.
std::string configure_error(const std::string& payload) {
    configure configure{};
    err err{};
    int result =
        configure_parse(reinterpret_cast<const uint8_t*>(payload.data()), payload.size(), &configure, &err);
    configure_free(&configure);
    return result == 0 ? "" : err.text;
}

std::string start_error(const std::string& payload) {
    start_request request{};
    err err{};
    int result =
        start_request_parse(reinterpret_cast<const uint8_t*>(payload.data()), payload.size(), &request, &err);
    start_request_free(&request);
    return result == 0 ? "" : err.text;
}

} // namespace

TEST_CASE("tags that must not repeat, do not exist or have the wrong size are refused") {
    CHECK(configure_error(tlv_bytes(HRUN_CONF_HOSTNAME, "a") + tlv_bytes(HRUN_CONF_HOSTNAME, "b")) ==
          "tag 3: given twice");
    CHECK(configure_error(tlv_bytes(99, "")) == "tag 99: not known to this agent");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_LAYER, "abc")) == "tag 1: not a 32-bit integer");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_MEMORY_MAX, bytes_of(1u))) == "tag 15: not a 64-bit integer");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_MEMORY_MAX, bytes_of(uint64_t{1} << 30))) == "");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_CPUS, bytes_of(uint64_t{1}))) ==
          "tag 16: not a 32-bit integer");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_LAYER, bytes_of(64u))) == "slot 64: the last one is 63");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_HOSTNAME, std::string("a\0b", 3))) ==
          "tag 3: a NUL in the wrong place");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_MOUNT, std::string("a\0b\0c", 5))) ==
          "tag 6: a NUL in the wrong place");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_MOUNT, std::string("a\0b\0c\0d\0e", 9))) ==
          "tag 6: a NUL in the wrong place");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_FILE, "no separator")) == "tag 8: no NUL after the target");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_ENTROPY, "short")) ==
          "5 bytes of entropy: 32 to 256 are taken");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_LAYER, bytes_of(1u)).substr(0, 11)) ==
          "tag 1: longer than the request that holds it");
    CHECK(configure_error("1234567") == "7 stray bytes after the last tag");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_FILE, std::string("/t\0a\0b", 6))) == "");
}

TEST_CASE("network interfaces with wrong numbers, names or addresses are refused") {
    hrun_nic nic{19, 1500, {0x02, 0x42, 1, 2, 3, 4}, 0, "eth0"};
    hrun_nic_address address{19, HRUN_ADDRESS_IPV4, 16, 0, {172, 31, 0, 2}};
    const auto error_of = [&](auto change) {
        hrun_nic changed_nic = nic;
        hrun_nic_address changed_address = address;
        change(changed_nic, changed_address);
        return configure_error(tlv_bytes(HRUN_CONF_ADDRESS, bytes_of(changed_address)) +
                               tlv_bytes(HRUN_CONF_NIC, bytes_of(changed_nic)));
    };
    const std::string of = "network interface in slot 19: ";
    CHECK(error_of([](auto&, auto&) {}) == "");
    CHECK(error_of([](auto& n, auto&) { n.mtu = 67; }) == of + "an MTU outside 68 to 65535");
    CHECK(error_of([](auto& n, auto&) { n.mac[0] = 0x33; }) == of + "a group's MAC address");
    for (const char* name : {"", "lo", "all", "a/b", "..", "a b"})
        CHECK(error_of([&](auto& n, auto&) { strncpy(n.name, name, sizeof n.name); }) ==
              of + "not a name for an interface");
    CHECK(error_of([](auto& n, auto&) { memset(n.name, 'e', sizeof n.name); }) ==
          of + "not a name for an interface");
    CHECK(error_of([](auto& n, auto&) { n.name[15] = 'x'; }) == of + "not a name for an interface");
    CHECK(error_of([](auto&, auto& a) { a.prefix = 33; }) == of + "an address with a wrong prefix");
    CHECK(error_of([](auto&, auto& a) { a.family = 5; }) == of + "an address of an unknown family");
    CHECK(error_of([](auto& n, auto&) { n.slot = 20; }) == of + "has an address but is not there");
    CHECK(error_of([](auto&, auto& a) { a.flags = HRUN_ADDRESS_FLAG_APART; }) == "");
    CHECK(error_of([](auto&, auto& a) { a.flags = 2; }) == of + "an address with unknown flags");
    const std::string one = tlv_bytes(HRUN_CONF_NIC, bytes_of(nic));
    CHECK(configure_error(one + one) == of + "given twice");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_NIC, "eth0")) == "tag 32: not a network interface");
    CHECK(configure_error(tlv_bytes(HRUN_CONF_GATEWAY, bytes_of(address))) ==
          of + "an address with a wrong prefix");
}

TEST_CASE("routes with wrong numbers, or of no interface, are refused") {
    const hrun_nic nic{19, 1500, {0x02, 0x42, 1, 2, 3, 4}, 0, "eth0"};
    const std::string there = tlv_bytes(HRUN_CONF_NIC, bytes_of(nic)), of = "network interface in slot 19: ";
    const auto error_of = [&](auto change) {
        hrun_nic_route route{19, HRUN_ADDRESS_IPV4, 24, 0, 0, {10, 1}, {10, 1, 0, 1}};
        change(route);
        return configure_error(there + tlv_bytes(HRUN_CONF_ROUTE, bytes_of(route)));
    };
    CHECK(error_of([](auto&) {}) == "");
    CHECK(error_of([](auto& r) { r.prefix = 33; }) == of + "a route with a wrong prefix");
    CHECK(error_of([](auto& r) { r.family = HRUN_ADDRESS_IPV6, r.prefix = 129; }) ==
          of + "a route with a wrong prefix");
    CHECK(error_of([](auto& r) { r.family = 0; }) == of + "a route of an unknown family");
    CHECK(error_of([](auto& r) { r.flags = 2; }) == of + "a route with unknown flags");
    CHECK(error_of([](auto& r) { r.slot = 20; }) ==
          "network interface in slot 20: has a route but is not there");
    CHECK(configure_error(there + tlv_bytes(HRUN_CONF_ROUTE, "route")) == "tag 36: not a route");
    std::string many = there;
    for (int i = 0; i < NIC_MAX_ROUTES + 1; i++)
        many += tlv_bytes(HRUN_CONF_ROUTE, bytes_of(hrun_nic_route{19, HRUN_ADDRESS_IPV4, 24, 0, 0, {}, {}}));
    CHECK(configure_error(many) == "more than 64 routes");
}

TEST_CASE("a START needs a command, an absolute directory and values in range") {
    std::string arg = tlv_bytes(HRUN_START_ARG, "true");
    CHECK(start_error(arg) == "");
    CHECK(start_error("") == "no command given: the image has none either");
    CHECK(start_error(arg + tlv_bytes(HRUN_START_CWD, "tmp")) ==
          "working directory \"tmp\" is not an absolute path");
    CHECK(start_error(arg + tlv_bytes(HRUN_START_UMASK, bytes_of(01000u))) == "START: a umask over 0777");
    CHECK(start_error(arg + tlv_bytes(HRUN_START_FLAGS, bytes_of(256u))) == "START: unknown flags");
    CHECK(start_error(arg + tlv_bytes(HRUN_START_OOM_SCORE, bytes_of(2001u))) ==
          "START: an OOM score adjustment outside -1000 to 1000");
    std::string limit = tlv_bytes(HRUN_START_RLIMIT, std::string(24, '\0'));
    for (int i = 0; i < START_MAX_RLIMITS; i++)
        arg += limit;
    CHECK(start_error(arg) == "");
    CHECK(start_error(arg + limit) == "START: a resource limit of the wrong size, or too many");
}

TEST_CASE("mount options become attributes and data, and what makes no sense is told") {
    const char* cursor = ",ro,,nosuid,size=64k,x,bind,noatime";
    mount_option option;
    std::string seen;
    uint64_t attributes = 0;
    while (mount_option_next(&cursor, &option)) {
        attributes = (attributes & ~option.clear) | option.set;
        if (option.type == MOUNT_OPTION_DATA)
            seen += std::string(option.key) + (option.value ? std::string("=") + option.value : "") + ";";
        if (option.type == MOUNT_OPTION_BAD)
            seen += std::string("bad ") + option.key + ";";
    }
    CHECK(seen == "size=64k;x;bad bind;");
    CHECK(attributes == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME));
    std::string long_option(1000, 'a');
    cursor = long_option.c_str();
    CHECK(mount_option_next(&cursor, &option));
    CHECK(option.type == MOUNT_OPTION_BAD);
    CHECK(!mount_option_next(&cursor, &option));
}

TEST_CASE("a sysctl's name never leaves /proc/sys") {
    char path[64];
    CHECK(sysctl_path("net.ipv4.conf.eth0/1.forwarding", path, sizeof(path)));
    CHECK(std::string(path) == "net/ipv4/conf/eth0.1/forwarding");
    for (const char* bad : {"", ".a", "a.", "a..b", "//.a", "a.//.b", "a b", "../x", "x\n"})
        CHECK(!sysctl_path(bad, path, sizeof(path)));
    CHECK(!sysctl_path(std::string(64, 'a').c_str(), path, sizeof(path)));
}

TEST_CASE("a change of networks names interfaces that come and go, and files, and nothing else") {
    const auto error_of = [](const std::string& payload) {
        network_request request{};
        err err{};
        const int result = network_request_parse(reinterpret_cast<const uint8_t*>(payload.data()),
                                                 payload.size(), &request, &err);
        const size_t counts = request.nics.count * 100 + request.gone_count * 10 + request.files.count;
        network_request_free(&request);
        return result < 0 ? std::string(err.text) : std::to_string(counts);
    };
    const hrun_nic nic{19, 1500, {0x02, 0x42, 1, 2, 3, 4}, 1, "eth1"};
    const std::string comes = tlv_bytes(HRUN_CONF_NIC, bytes_of(nic)),
                      goes = tlv_bytes(HRUN_CONF_NIC_GONE, bytes_of(20u));
    const std::string file = tlv_bytes(HRUN_CONF_FILE, std::string("/etc/hosts\0new", 14));
    CHECK(error_of("") == "0");
    CHECK(error_of(comes + goes + goes + file) == "121");
    CHECK(error_of(comes + comes) == "network interface in slot 19: given twice");
    CHECK(error_of(tlv_bytes(HRUN_CONF_HOSTNAME, "x")) == "tag 3: not known to this agent");
    std::string many;
    for (int i = 0; i < 17; i++)
        many += goes;
    CHECK(error_of(many) == "more than 16 network interfaces");
    CHECK(configure_error(goes) == "tag 35: not known to this agent");
}
