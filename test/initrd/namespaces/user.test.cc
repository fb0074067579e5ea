// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "namespaces/container.h"

using namespace hrun::test;

namespace {
Outcome run_as(const std::string& user, const std::string& script) {
    Machine machine;
    return machine.run({.arguments = {"sh", "-c", script}, .user = user});
}
} // namespace

TEST_CASE("a user is looked up in the image, with home and supplementary groups") {
    REQUIRE_RIG();
    CHECK(run_as("alice", "id -u; id -g; id -G; echo $HOME").output ==
          "1000\n1000\n1000 29 50\n/home/alice\n");
    CHECK(run_as("1000", "id -u; id -G").output == "1000\n1000 29 50\n");
    CHECK(run_as("alice:audio", "id -g; id -G").output == "29\n29\n");
    CHECK(run_as("4242:77", "id -u; id -g; id -G; echo $HOME").output == "4242\n77\n77\n/\n");
    CHECK(run_as("", "id -u; id -g; echo $HOME").output == "0\n0\n/root\n");
}

TEST_CASE("a user or group the image does not have is an error in Docker's words") {
    REQUIRE_RIG();
    Outcome outcome = run_as("bob", "true");
    CHECK(outcome.failure == "unable to find user bob: no matching entries in passwd file");
    CHECK(outcome.failure_head.kind == HRUN_ERROR_USER);
    outcome = run_as("alice:wheel", "true");
    CHECK(outcome.failure == "unable to find group wheel: no matching entries in group file");
}

TEST_CASE("root has exactly the capabilities of the mask, another user none") {
    REQUIRE_RIG();
    const std::string script = "grep ^Cap /proc/self/status | tr -s '\\t\\n' '  '";
    CHECK(run_as("", script).output ==
          "CapInh: 0000000000000000 CapPrm: 00000000a80425fb CapEff: 00000000a80425fb "
          "CapBnd: 00000000a80425fb CapAmb: 0000000000000000 ");
    CHECK(run_as("alice", script).output ==
          "CapInh: 0000000000000000 CapPrm: 0000000000000000 CapEff: 0000000000000000 "
          "CapBnd: 00000000a80425fb CapAmb: 0000000000000000 ");
}

TEST_CASE("a user who is not root can open its standard streams again") {
    REQUIRE_RIG();
    Outcome outcome = run_as("alice", "echo one > /dev/stdout; echo two > /dev/stderr");
    CHECK(outcome.output == "one\n");
    CHECK(outcome.error == "two\n");
}

TEST_CASE("a passwd that is a fifo, a magic link or huge is refused and nothing waits for it") {
    REQUIRE_RIG();
    for (const char* script : {"mkdir etc; mkfifo etc/passwd", "mkdir etc; ln -s /proc/self/exe etc/passwd",
                               "mkdir etc; truncate -s 5M etc/passwd"}) {
        Machine machine;
        machine.configure.add_u32(HRUN_CONF_LAYER, machine.rig.add_layer(script));
        CHECK(machine.run({.arguments = {"true"}}).failure != "");
    }
}
