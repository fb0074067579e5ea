// SPDX-License-Identifier: Apache-2.0
#include "monitor/config.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <nlohmann/json.hpp>

namespace hrun::monitor {
namespace {

using Json = nlohmann::json;

Json sample() {
    return Json::parse(R"({
      "version": 1, "id": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "engine": "qemu",
      "qemu": {"binary": "/usr/bin/qemu-system-x86_64", "accel": "tcg"},
      "kernel": "/k/vmlinux", "initrd": "/k/initrd", "vcpus": 2, "memoryMiB": 512,
      "disks": [{"slot": 2, "path": "/w.ext4", "readOnly": false}, {"slot": 3, "path": "/l.erofs", "readOnly": true}],
      "vsock": {"slot": 0, "cid": 3}, "rng": {"slot": 1}, "balloon": {"slot": 22},
      "log": {"driver": "json-file", "maxBytes": 0, "maxFiles": 1},
      "tty": false, "stopSignal": 15, "autoRemove": true, "bootTimeoutMs": 60000})");
}

std::string mistake(const Json& json) {
    const auto result = parse_config(json.dump());
    const auto* text = std::get_if<std::string>(&result);
    return text ? *text : "";
}

TEST_CASE("a whole configuration is read") {
    const auto result = parse_config(sample().dump());
    REQUIRE(std::holds_alternative<Config>(result));
    const Config& config = std::get<Config>(result);
    CHECK(config.engine == Engine::kQemu);
    CHECK(config.vcpus == 2);
    CHECK(config.memory_mib == 512);
    REQUIRE(config.disks.size() == 2);
    CHECK_FALSE(config.disks[0].read_only);
    CHECK(config.disks[1].path == "/l.erofs");
    CHECK(config.auto_remove);
    CHECK(config.log.enabled);
}

TEST_CASE("every field is needed") {
    const Json whole = sample();
    for (const auto& item : whole.items()) {
        const std::string key = item.key();
        Json json = whole;
        json.erase(key);
        CHECK_MESSAGE(!mistake(json).empty(), key);
    }
}

TEST_CASE("limits and the restart policy may be left out, as a whole or in part") {
    Json json = sample();
    json["autoRemove"] = false;
    json["resources"] = {{"memoryMax", 1 << 30},
                         {"cpuMax", 150000},
                         {"cpuPeriod", 50000},
                         {"cpuShares", 512},
                         {"swapMax", 0},
                         {"cpus", "0-2,7"},
                         {"devices", {{{"device", "8:0"}, {"readBps", 1 << 20}, {"writeIops", 100}}}}};
    json["restart"] = {{"policy", "on-failure"}, {"maximumRetries", 3}};
    const auto result = parse_config(json.dump());
    REQUIRE(std::holds_alternative<Config>(result));
    const Config& config = std::get<Config>(result);
    CHECK(config.resources.memory_max == 1 << 30);
    CHECK(config.resources.cpu_max == 150000);
    CHECK(config.resources.cpu_period == 50000);
    CHECK(config.resources.cpu_shares == 512);
    CHECK(config.resources.pids_max == 0);
    CHECK(config.resources.swap_max == 0);
    CHECK(config.resources.cpus == "0-2,7");
    CHECK(config.resources.devices == std::vector<jail::DeviceLimits>{{"8:0", 1 << 20, 0, 0, 100}});
    CHECK(config.restart.when == RestartPolicy::When::kOnFailure);
    CHECK(config.restart.maximum_retries == 3);
    CHECK(ends_restarts(config, 15));
    CHECK(ends_restarts(config, 9));
    CHECK_FALSE(ends_restarts(config, 1));
}

TEST_CASE("a container is probed if its configuration says all about it") {
    Json json = sample();
    CHECK_FALSE(std::get<Config>(parse_config(json.dump())).health);
    json["health"] = {{"intervalMs", 1000},
                      {"timeoutMs", 2000},
                      {"startPeriodMs", 0},
                      {"startIntervalMs", 500},
                      {"retries", 3}};
    const auto result = parse_config(json.dump());
    REQUIRE(std::holds_alternative<Config>(result));
    const HealthPolicy& policy = *std::get<Config>(result).health;
    CHECK(policy.timeout.count() == 2000);
    CHECK(policy.retries == 3);
    for (const char* key : {"intervalMs", "timeoutMs", "retries"}) {
        Json wrong = json;
        wrong["health"][key] = 0;
        CHECK_MESSAGE(mistake(wrong).find(key) != std::string::npos, key);
    }
    json["health"]["intervalMs"] = 1ull << 32;
    CHECK(!mistake(json).empty());
}

TEST_CASE("a container shares the machine of another if its configuration says which") {
    Json json = sample();
    CHECK_FALSE(std::get<Config>(parse_config(json.dump())).host);
    json["joins"] = {{"directory", "/var/lib/hrun/containers/ab"}, {"name", "web"}};
    const auto result = parse_config(json.dump());
    REQUIRE(std::holds_alternative<Config>(result));
    CHECK(std::get<Config>(result).host->name == "web");
    json["joins"]["directory"] = "relative";
    CHECK(mistake(json).find("joins.directory") != std::string::npos);
    json["joins"] = {{"name", "web"}};
    CHECK(!mistake(json).empty());
}

TEST_CASE("network interfaces may be left out; each is a port of a bridge, in a slot of its own") {
    Json json = sample();
    const Json nic = {
        {"slot", 19},        {"mac", "02:42:ac:1f:00:02"}, {"addresses", Json::array({"172.31.0.2/16"})},
        {"bridge", "hrun0"}, {"tap", "hrun-0123"},         {"mtu", 1500}};
    json["nics"] = Json::array({nic});
    const auto result = parse_config(json.dump());
    REQUIRE(std::holds_alternative<Config>(result));
    const auto& nics = std::get<Config>(result).nics;
    REQUIRE(nics.size() == 1);
    CHECK(nics[0].mac == net::Mac{0x02, 0x42, 0xac, 0x1f, 0, 2});
    CHECK(nics[0].tap == "hrun-0123");
    CHECK(nics[0].rates == net::Rates{});
    for (const auto& [vcpus, queues] : {std::pair(1, 1u), {2, 2u}, {8, 8u}, {32, 8u}}) {
        json["vcpus"] = vcpus;
        CHECK(std::get<Config>(parse_config(json.dump())).nics[0].queue_pairs == queues);
    }
    json["nics"] = Json::array({nic, nic});
    CHECK(mistake(json) == "slot is used twice");
    const auto with = [&](const char* key, const Json& value) {
        json["nics"] = Json::array({nic});
        json["nics"][0][key] = value;
        return mistake(json);
    };
    CHECK(with("mac", "ff:ff:ff:ff:ff:ff") == "nics[0].mac must be the MAC address of one station");
    CHECK(with("addresses", Json::array({"fd00::2"})) ==
          "nics[0].addresses must be at most 16 IP addresses with their prefixes");
    CHECK(with("tap", "a,script=/bin/sh") == "nics[0].tap must be the name of a network interface");
    CHECK(with("mtu", 67) == "nics[0].mtu must be a whole number from 68 to 65535");
    CHECK(with("inBps", 1 << 20).empty());
    CHECK(std::get<Config>(parse_config(json.dump())).nics[0].rates == net::Rates{1 << 20, 0});
    CHECK(with("outBps", 0).starts_with("nics[0].outBps must be a whole number from 1"));
    CHECK(with("extra", 1) == "nics[0].extra is not a known field");
}

TEST_CASE("an interface without a bridge is connected to nothing, for its machine has no container yet") {
    Json json = sample();
    json["nics"] = Json::array({{{"slot", 19},
                                 {"mac", "02:00:00:00:00:00"},
                                 {"addresses", Json::array()},
                                 {"tap", "hrun-0123"},
                                 {"mtu", 1500}}});
    CHECK(mistake(json).empty());
    const Config config = std::get<Config>(parse_config(json.dump()));
    CHECK(config.nics[0].bridge.empty());
    CHECK(config.nics[0].tap == "hrun-0123");
    CHECK(config.nics[0].queue_pairs == 2);
}

TEST_CASE("an interface can be passt's, and has no interface of the host's then") {
    Json json = sample();
    const Json passt = {{"program", "/usr/bin/passt"}, {"gateway", "10.0.2.2"}, {"resolver", "10.0.2.3"}};
    const auto with = [&](const Json& more) {
        json["nics"] = Json::array({{{"slot", 19},
                                     {"mac", "02:42:0a:00:02:0f"},
                                     {"addresses", Json::array({"10.0.2.15/24"})},
                                     {"mtu", 65520},
                                     {"passt", passt}}});
        json["nics"][0].update(more);
        return mistake(json);
    };
    CHECK(with(Json::object()).empty());
    const Config config = std::get<Config>(parse_config(json.dump()));
    CHECK(config.nics[0].passt->program == "/usr/bin/passt");
    CHECK(config.nics[0].tap.empty());
    CHECK(config.vcpus == 2);
    CHECK(config.nics[0].queue_pairs == 1);
    CHECK(with({{"tap", "hrun-0123"}}) == "nics[0].tap is not a known field");
    CHECK(with({{"inBps", 1}}) == "nics[0].inBps is not a known field");
    CHECK(with({{"addresses", Json::array()}}) == "nics[0].addresses must be one IPv4 address with passt");
    CHECK(with({{"passt", {{"program", "passt"}}}}) ==
          "nics[0].passt.program must be an absolute path without a comma");
}

TEST_CASE("an interface can be wired to one inside of a namespace, which is no port of a bridge then, and "
          "its ports held") {
    Json json = sample();
    const Json inside = {{"namespace", "/run/netns/hrun-1"}, {"interface", "eth0"}};
    const auto with = [&](const Json& more) {
        json["nics"] = Json::array({{{"slot", 19},
                                     {"mac", "02:42:0a:01:00:05"},
                                     {"addresses", Json::array({"10.1.0.5/24", "fd00::5/64"})},
                                     {"mtu", 1400},
                                     {"tap", "hrun0"},
                                     {"outBps", 7},
                                     {"inside", inside}}});
        json["nics"][0].update(more);
        return mistake(json);
    };
    CHECK(with(Json::object()).empty());
    json["ports"] = {{"held", true}, {"publish", Json::array()}};
    const Config config = std::get<Config>(parse_config(json.dump()));
    CHECK(config.nics[0].inside->name_space == "/run/netns/hrun-1");
    CHECK(config.nics[0].inside->interface == "eth0");
    CHECK(config.nics[0].rates.out == 7);
    CHECK(config.nics[0].bridge.empty());
    CHECK(config.ports.held);
    CHECK(with({{"bridge", "hrun0"}}) == "nics[0].bridge is not a known field");
    CHECK(with({{"inside", {{"namespace", "netns"}, {"interface", "eth0"}}}}) ==
          "nics[0].inside.namespace must be an absolute path");
    CHECK(with({{"inside", {{"namespace", "/run/netns/x"}, {"interface", "../x"}}}}) ==
          "nics[0].inside.interface must be the name of a network interface");
}

TEST_CASE("an interface may have names, which are words, in a network that is an entry of a directory") {
    Json json = sample();
    const auto with = [&](const Json& network, const Json& names) {
        json["nics"] = {
            {{"slot", 19},
             {"mac", "02:42:ac:1f:00:02"},
             {"addresses", {"172.31.0.2/16"}},
             {"bridge", "hrun0"},
             {"tap", "hrun-0123"},
             {"mtu", 1500},
             {"names", {{"network", network}, {"names", names}, {"servers", Json::array({"::1"})}}}}};
        return parse_config(json.dump());
    };
    const auto result = with("db", {"web", "www"});
    REQUIRE(std::holds_alternative<Config>(result));
    CHECK(std::get<Config>(result).nics[0].network == "db");
    CHECK(std::get<Config>(result).nics[0].names == std::vector<std::string>{"web", "www"});
    CHECK(std::get<Config>(result).nics[0].servers == std::vector<std::string>{"::1"});
    for (const char* bad : {"", "..", ".ports", "a/b"})
        CHECK(std::get<std::string>(with(bad, {"web"})) == "nics[0].names.network must be a name");
    for (const Json& bad : {Json::array({"a b"}), Json::array({"a\nname b"}), Json::array({""}),
                            Json::array({1}), Json(65, "web")})
        CHECK(std::get<std::string>(with("db", bad)) == "nics[0].names.names must be at most 64 words");
}

TEST_CASE("ports may be left out; each has a protocol, an address and a range of the host's") {
    Json json = sample();
    const Json port = {{"protocol", "udp"},    {"host", "127.0.0.1"},     {"firstHostPort", 8000},
                       {"lastHostPort", 8010}, {"address", "172.31.0.2"}, {"port", 53}};
    json["ports"] = {{"table", "hrun_networks"}, {"publish", Json::array({port})}};
    const auto result = parse_config(json.dump());
    REQUIRE(std::holds_alternative<Config>(result));
    const PortsConfig& ports = std::get<Config>(result).ports;
    CHECK(ports.table == "hrun_networks");
    REQUIRE(ports.publish.size() == 1);
    CHECK(ports.publish[0].protocol == IPPROTO_UDP);
    CHECK(ports.publish[0].host == parse_ip("127.0.0.1"));
    CHECK(ports.publish[0].last_host_port == 8010);
    const auto with = [&](const char* key, const Json& value) {
        json["ports"]["publish"] = Json::array({port});
        json["ports"]["publish"][0][key] = value;
        return mistake(json);
    };
    CHECK(with("protocol", "sctp") == "ports.publish[0].protocol must be tcp or udp");
    CHECK(with("host", "x") == "ports.publish[0].host must be an IP address");
    CHECK(with("host", "::1") == "ports.publish[0].address must be of the family of host");
    CHECK(with("address6", "fd00::2") == "ports.publish[0].address6 goes with host 0.0.0.0 only");
    CHECK(with("address6", "10.5.0.2") == "ports.publish[0].address6 must be an IPv6 address");
    json["ports"]["publish"] = Json::array({port, port});
    json["ports"]["publish"][0].update({{"host", "0.0.0.0"}, {"address6", "fd00::2"}});
    json["ports"]["publish"][1].update({{"host", "::1"}, {"address", "fd00::2"}});
    const auto both = parse_config(json.dump());
    REQUIRE(std::holds_alternative<Config>(both));
    CHECK(std::get<Config>(both).ports.publish[0].address6 == parse_ip("fd00::2"));
    CHECK(std::get<Config>(both).ports.publish[1].host == parse_ip("::1"));
    json["ports"]["publish"][1].erase("address");
    CHECK_FALSE(std::get<Config>(parse_config(json.dump())).ports.publish[1].address.has_value());
    CHECK(with("lastHostPort", 7999) ==
          "ports.publish[0].lastHostPort must not be below firstHostPort, and 0 if that is");
    CHECK(with("firstHostPort", 0) ==
          "ports.publish[0].lastHostPort must not be below firstHostPort, and 0 if that is");
    CHECK(with("port", 0) == "ports.publish[0].port must be a whole number from 1 to 65535");
    json["ports"]["publish"] = Json(1025, port);
    CHECK(mistake(json) == "ports.publish has more than 1024 entries");
}

TEST_CASE("limits that no kernel takes and policies that there are not are mistakes") {
    Json json = sample();
    json["resources"] = {{"cpuMax", 999}};
    CHECK(mistake(json).starts_with("resources.cpuMax must be a whole number from 1000 to "));
    json["resources"] = {{"cpuPeriod", 1000001}};
    CHECK(mistake(json).starts_with("resources.cpuPeriod must be a whole number from 1000 to 1000000"));
    json = sample();
    json["resources"] = {{"cores", 1}};
    CHECK(mistake(json) == "resources.cores is not a known field");
    json["resources"] = {{"cpus", "0 1"}};
    CHECK(mistake(json) == "resources.cpus must be a list such as 0-2,7");
    json["resources"] = {{"devices", {{{"device", "/dev/sda"}, {"readBps", 1}}}}};
    CHECK(mistake(json) == "resources.devices[0].device must be major:minor");
    json = sample();
    json["restart"] = {{"policy", "sometimes"}, {"maximumRetries", 0}};
    CHECK(mistake(json).starts_with("restart.policy must be no or "));
    json["restart"]["policy"] = "always";
    CHECK(mistake(json) == "restart contradicts autoRemove");
}

TEST_CASE("what is shared with the guest is optional, and checked when it is there") {
    Json json = sample();
    json["share"] = {{"slot", 18}, {"daemon", "/d"}, {"paths", {{{"path", "/a,b"}, {"readOnly", true}}}}};
    const auto result = parse_config(json.dump());
    REQUIRE(std::holds_alternative<Config>(result));
    const auto& share = std::get<Config>(result).share;
    REQUIRE(share.has_value());
    CHECK(share->slot == 18);
    CHECK(share->paths[0].path == "/a,b");
    CHECK(share->paths[0].read_only);
    CHECK(!share->cached);
    json["share"]["cached"] = "yes";
    CHECK(mistake(json) == "share.cached must be true or false");
    json["share"]["cached"] = true;
    CHECK(std::get<Config>(parse_config(json.dump())).share->cached);
    json["share"]["paths"][0]["path"] = "relative";
    CHECK(mistake(json) == "share.paths[0].path must be an absolute path");
    json = sample();
    json["share"] = {{"slot", 2}, {"daemon", "/d"}, {"paths", Json::array()}};
    CHECK(mistake(json) == "slot is used twice");
}

TEST_CASE("a disk that can be written is one machine's, others when they say so") {
    Json json = sample();
    CHECK_FALSE(std::get<Config>(parse_config(json.dump())).keeps_data());
    json["disks"][1]["exclusive"] = true;
    json["disks"].push_back({{"slot", 4}, {"path", "/v.ext4"}, {"readOnly", false}});
    const auto result = parse_config(json.dump());
    const Config& config = std::get<Config>(result);
    CHECK(config.disks[0].exclusive);
    CHECK(config.disks[1].exclusive);
    CHECK(config.keeps_data());
}

TEST_CASE("a mistake is told with its field and what is allowed") {
    Json json = sample();
    json["vcpus"] = 0;
    CHECK(mistake(json) == "vcpus must be a whole number from 1 to 32");
    json = sample();
    json["disks"][1]["slot"] = 23;
    CHECK(mistake(json) == "disks[1].slot must be a whole number from 0 to 22");
    json = sample();
    json["qemu"]["accel"] = "hax";
    CHECK(mistake(json) == "qemu.accel must be tcg or kvm");
    json = sample();
    json["disks"][0]["path"] = "w.ext4";
    CHECK(mistake(json) == "disks[0].path must be an absolute path without a comma");
    json = sample();
    json["log"]["attributes"] = {{"team", "red"}};
    CHECK(mistake(json) == "");
    json["log"]["attributes"] = {{"team", 1}};
    CHECK(mistake(json) == "log.attributes.team must be a string");
    json["log"]["attributes"] = "team";
    CHECK(mistake(json) == "log.attributes must be an object");
    json = sample();
    json["log"]["maxSize"] = 1;
    CHECK(mistake(json) == "log.maxSize is not a known field");
    json = sample();
    json["disks"][1]["slot"] = 1;
    CHECK(mistake(json) == "slot is used twice");
}

TEST_CASE("the kvm engine needs nothing of its own, and QEMU's object does not belong to it") {
    Json json = sample();
    json["engine"] = "kvm";
    CHECK(mistake(json) == "qemu is not a known field");
    json.erase("qemu");
    const auto result = parse_config(json.dump());
    REQUIRE(std::holds_alternative<Config>(result));
    CHECK(std::get<Config>(result).engine == Engine::kKvm);
    json["engine"] = "bhyve";
    CHECK(mistake(json) == "engine must be qemu or kvm");
}

TEST_CASE("values of the wrong kind are mistakes, not crashes") {
    const Json whole = sample();
    for (const Json& wrong :
         {Json(nullptr), Json(-1), Json(1.5), Json("x"), Json::array({1}), Json::object({{"a", 1}})})
        for (const auto& item : whole.items()) {
            const std::string key = item.key();
            Json json = whole;
            json[key] = wrong;
            CHECK_MESSAGE(!mistake(json).empty(), key << " = " << wrong.dump());
        }
}

TEST_CASE("what is not an object of JSON is told so") {
    CHECK(std::get<std::string>(parse_config("{\"version\":")) == "is not JSON");
    CHECK(std::get<std::string>(parse_config("[]")) == " must be an object");
}

} // namespace
} // namespace hrun::monitor
