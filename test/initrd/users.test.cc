// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "protocol.h"
#include "users.h"
}

namespace {

struct Resolved {
    int result;
    uint32_t uid, gid;
    std::vector<uint32_t> groups;
    std::string home, text;
};

Resolved resolve(const std::string& spec, const std::string& passwd, const std::string& group) {
    string_list none{};
    identity identity{};
    err err{};
    Resolved resolved{};
    resolved.result = users_resolve({passwd.data(), passwd.size()}, {group.data(), group.size()},
                                    spec.c_str(), &none, &identity, &err);
    resolved.uid = identity.uid;
    resolved.gid = identity.gid;
    resolved.groups.assign(identity.groups, identity.groups + identity.group_count);
    resolved.home = identity.home ? identity.home : "";
    resolved.text = err.text;
    identity_free(&identity);
    return resolved;
}

const char* const PASSWD =
    "root:x:0:0:root:/root:/bin/sh\n\n  bob:x:7:8:Bob:/home/bob:/bin/sh\r\n1000:x:3:3::/odd:\n";
const char* const GROUP = "root:x:0:\nbobs:x:8:\nextra:x:9:alice, bob\nnobobs:x:10:bobby,xbob\n";

} // namespace

TEST_CASE("a name or number is looked up, in the order of the file") {
    Resolved bob = resolve("bob", PASSWD, GROUP);
    CHECK(bob.uid == 7);
    CHECK(bob.gid == 8);
    CHECK(bob.groups == std::vector<uint32_t>{8, 9});
    CHECK(bob.home == "/home/bob");
    CHECK(resolve("7", PASSWD, GROUP).home == "/home/bob");
    CHECK(resolve("1000", PASSWD, GROUP).uid == 3);
    CHECK(resolve("", PASSWD, GROUP).home == "/root");
}

TEST_CASE("an explicit group replaces the user's own groups") {
    Resolved bob = resolve("bob:extra", PASSWD, GROUP);
    CHECK(bob.gid == 9);
    CHECK(bob.groups == std::vector<uint32_t>{9});
    CHECK(resolve("bob:4294967295", PASSWD, GROUP).result == -1);
}

TEST_CASE("numbers need no entry, names do") {
    Resolved number = resolve("65537:70000", "", "");
    CHECK(number.uid == 65537);
    CHECK(number.gid == 70000);
    CHECK(number.home == "/");
    CHECK(resolve("12", "", "").gid == 0);
    CHECK(resolve("carol", PASSWD, GROUP).text ==
          "unable to find user carol: no matching entries in passwd file");
    CHECK(resolve("-1", PASSWD, GROUP).result == -1);
    CHECK(resolve("2147483648", PASSWD, GROUP).result == -1);
}

TEST_CASE("a line that does not parse is no entry, and never root") {
    for (const char* line : {"eve", "eve:x", "eve:x:", "eve:x::", "eve:x:a:b", "eve:x:0x1:0", "eve:x:1",
                             "eve:x:-1:0:", "eve:x:99999999999:0:", "eve:x: 1:2"})
        CHECK(resolve("eve", line, "").result == -1);
}

TEST_CASE("file ends, empty files and missing fields are harmless") {
    CHECK(resolve("a", "a:b:1:2", "").uid == 1);
    CHECK(resolve("a", "a:b:1:2", "").home == "/");
    CHECK(resolve("a", "a:b:1:2::", "a").gid == 2);
    CHECK(resolve("a:g", "a:b:1:2::/h:s:more:colons", "g:x:5").gid == 5);
    CHECK(resolve("0", std::string(100, ':'), std::string(100, ',')).uid == 0);
}
