// SPDX-License-Identifier: Apache-2.0
// Plug-ins of the test's own, which are shell scripts that write down what they were told.
#include "monitor/plugin_network.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "temporary_directory.h"

namespace hrun::monitor {
namespace {

struct Network {
    void plugin(const std::string& name, const std::string& script) {
        const std::string path = directory.path + "/" + name;
        std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
        chmod(path.c_str(), 0755);
        plugins.push_back({{"program", path}, {"input", "{\"of\":\"" + name + "\"}"}});
    }
    std::string leave() const {
        const nlohmann::json json{{"version", 1},
                                  {"name", "t"},
                                  {"namespace", directory.path + "/gone"},
                                  {"checks", true},
                                  {"environment",
                                   {{"PATH", "/usr/bin:/bin"},
                                    {"CNI_NETNS", "/somewhere"},
                                    {"CNI_IFNAME", "eth0"},
                                    {"LOG", directory.path + "/log"}}},
                                  {"plugins", plugins}};
        std::ofstream(record) << json.dump();
        return leave_plugin_network(record);
    }

    test::TemporaryDirectory directory;
    std::string record = directory.path + "/record";
    nlohmann::json plugins = nlohmann::json::array();
};

constexpr char kNote[] = "echo \"${0##*/} $CNI_COMMAND [$CNI_NETNS] $CNI_IFNAME $(cat)\" >> $LOG";

} // namespace

TEST_CASE("plug-ins are told from the last to the first, each its own configuration, and the record goes") {
    Network network;
    for (const char* name : {"bridge", "portmap", "firewall"})
        network.plugin(name, kNote);
    CHECK(network.leave() == "");
    CHECK(network.directory.read("log") == "firewall DEL [] eth0 {\"of\":\"firewall\"}\n"
                                           "portmap DEL [] eth0 {\"of\":\"portmap\"}\n"
                                           "bridge DEL [] eth0 {\"of\":\"bridge\"}\n");
    CHECK_FALSE(network.directory.has("record"));
    CHECK(leave_plugin_network(network.record) == "");
}

TEST_CASE("all are told although one fails, whose words are one line, and the record stays") {
    Network network;
    network.plugin("bridge", kNote);
    network.plugin("portmap", R"(printf %s '{"code": 7, "msg": "no\nway"}'; exit 1)");
    CHECK(network.leave() == "network t: plug-in portmap: no way");
    CHECK(network.directory.read("log") == "bridge DEL [] eth0 {\"of\":\"bridge\"}\n");
    CHECK(network.directory.has("record"));
}

TEST_CASE("a plug-in that says nothing, is killed, floods, reads nothing or is not there, is told of") {
    const auto failure = [](const char* script) {
        Network network;
        network.plugin("bad", script);
        return network.leave();
    };
    const std::string of = "network t: plug-in bad: ";
    CHECK(failure("exit 3") == of + "ended with 3");
    CHECK(failure("echo nonsense; exit 3") == of + "ended with 3");
    CHECK(failure("kill -9 $$") == of + "was killed by signal 9");
    CHECK(failure("head -c 200000 /dev/zero; exit 4") == of + "ended with 4");
    CHECK(failure("exec <&-; exit 0") == "");
    Network network;
    network.plugin("bad", "true");
    std::filesystem::remove(network.directory.path + "/bad");
    CHECK(network.leave() == of + "is not there any more");
}

TEST_CASE("a record that is none is told of, and nothing is started") {
    test::TemporaryDirectory directory;
    const std::string path = directory.path + "/record";
    for (const char* text :
         {"", "[]", "{\"version\":2}", R"({"version":1,"name":"t","namespace":"relative"})"}) {
        std::ofstream(path) << text;
        CHECK(leave_plugin_network(path).starts_with(path + ": "));
    }
    CHECK(plugin_record("/s/containers/ab") == "/s/networks/.cni/ab");
}

} // namespace hrun::monitor
