// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "namespaces/container.h"

using namespace hrun::test;

namespace {

constexpr uint32_t kSlot = 0;

// The clock that is set is the host's: it gets the time that it has.
hrun_wake wake_now(uint32_t credit = HRUN_INITIAL_CREDIT) {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    hrun_wake wake{};
    wake.time_ns = static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
    wake.credit[0] = wake.credit[1] = credit;
    return wake;
}

bool is_silent(const Wire& wire, int milliseconds) {
    pollfd source{wire.fd(), POLLIN, 0};
    return poll(&source, 1, milliseconds) == 0;
}

// A container that says "go" for each line of input, and after that counts.
Wire start_echo(Machine& machine) {
    Wire wire = machine.open();
    Command command{.arguments = {"sh", "-c", "while read line; do echo $line; done; exit 4"},
                    .flags = HRUN_START_INIT_SESSION | HRUN_START_STDIN};
    wire.send(HRUN_START, start_tlvs(command).payload());
    wire.expect(HRUN_STARTED);
    return wire;
}

// What the container has said before that is passed over.
std::string suspend(Wire& wire) {
    wire.send(HRUN_SUSPEND, bytes_of(kSlot));
    auto frame = wire.receive();
    while (frame && frame->type == HRUN_DATA)
        frame = wire.receive();
    REQUIRE(frame);
    REQUIRE(frame->type == HRUN_SUSPENDED);
    return frame->payload;
}

} // namespace

TEST_CASE("a suspended container neither runs nor says anything, and a new connection takes the place of the "
          "lost one") {
    REQUIRE_RIG();
    Machine machine;
    std::string output;
    {
        Wire wire = start_echo(machine);
        wire.send(HRUN_DATA, "before\n", HRUN_STDIN);
        while (output != "before\n")
            output += wire.expect(HRUN_DATA).payload;
        REQUIRE(suspend(wire).empty());
        wire.send(HRUN_DATA, "after\n", HRUN_STDIN);
        CHECK(is_silent(wire, 200));
    }
    Wire other = machine.open();
    other.send(HRUN_START, start_tlvs({.arguments = {"true"}}).payload());
    CHECK(error_text(*other.receive()) == "a checkpoint of the container is being made; try again");
    Wire again = machine.open();
    again.send(HRUN_WAKE, bytes_of(wake_now()));
    const Frame awake = again.expect(HRUN_AWAKE);
    CHECK(awake.payload.substr(0, 4) == bytes_of(uint32_t{1}));
    output.clear();
    while (output != "after\n")
        output += again.expect(HRUN_DATA).payload;
    again.send(HRUN_DATA, "", HRUN_STDIN);
    CHECK(finish_session(again).exit.code == 4);
}

TEST_CASE("who was not saved is woken over the connection that it has") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start_echo(machine);
    REQUIRE(suspend(wire).empty());
    CHECK(suspend(wire) == "another checkpoint is being made");
    wire.send(HRUN_WAKE, bytes_of(wake_now()));
    wire.expect(HRUN_AWAKE);
    wire.send(HRUN_DATA, "on\n", HRUN_STDIN);
    CHECK(wire.expect(HRUN_DATA).payload == "on\n");
    REQUIRE(suspend(wire).empty());
}

TEST_CASE("no more is said than the host takes after it was woken") {
    REQUIRE_RIG();
    Machine machine;
    {
        Wire wire = start_echo(machine);
        wire.send(HRUN_DATA, "four\nmore\n", HRUN_STDIN);
        REQUIRE(suspend(wire).empty());
    }
    Wire again = machine.open();
    again.send(HRUN_WAKE, bytes_of(wake_now(0)));
    again.expect(HRUN_AWAKE);
    again.send(HRUN_DATA, "last\n", HRUN_STDIN);
    CHECK(is_silent(again, 200));
    again.send(HRUN_SIGNAL, bytes_of(uint32_t{SIGKILL}));
}

TEST_CASE("one that goes on under another name has it, and the files that tell of it") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add(HRUN_CONF_HOSTNAME, "saved");
    machine.configure.add(HRUN_CONF_FILE, fields({"/etc/hostname", "saved\n"}));
    {
        Wire wire = machine.open();
        Command command{.arguments = {"sh", "-c", "read line; hostname; cat /etc/hostname"},
                        .flags = HRUN_START_INIT_SESSION | HRUN_START_STDIN};
        wire.send(HRUN_START, start_tlvs(command).payload());
        wire.expect(HRUN_STARTED);
        REQUIRE(suspend(wire).empty());
    }
    Tlvs names;
    names.add(HRUN_CONF_HOSTNAME, "copied").add(HRUN_CONF_FILE, fields({"/etc/hostname", "copied\n"}));
    Wire again = machine.open();
    again.send(HRUN_WAKE, bytes_of(wake_now()) + names.payload());
    again.expect(HRUN_AWAKE);
    again.send(HRUN_DATA, "\n", HRUN_STDIN);
    CHECK(finish_session(again).output == "copied\ncopied\n");
}

TEST_CASE("what is in the way of a checkpoint is said, and changes nothing") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start_echo(machine);
    {
        Wire exec = machine.open();
        exec.send(HRUN_START, start_tlvs({.arguments = {"sleep", "100"}}).payload());
        exec.expect(HRUN_STARTED);
        CHECK(suspend(wire) == "an exec, or a copy of its files, is going on in it");
    }
    wire.send(HRUN_PAUSE);
    wire.expect(HRUN_PAUSED);
    CHECK(suspend(wire) == "it stands still: it is paused, or its files are being copied");
    wire.send(HRUN_RESUME);
    wire.expect(HRUN_RESUMED);
    wire.send(HRUN_DATA, "on\n", HRUN_STDIN);
    CHECK(wire.expect(HRUN_DATA).payload == "on\n");
}

TEST_CASE("a machine without a container is suspended on any connection, and goes on by itself") {
    REQUIRE_RIG();
    Machine machine;
    machine.configured = true; // not yet
    for (int round = 0; round < 2; round++) {
        Wire wire = machine.open();
        CHECK(suspend(wire).empty());
        CHECK(is_silent(wire, 200)); // meanwhile it looks for its device, which the rig leaves as it is
    }
    machine.configured = false;
    CHECK(machine.run_shell("echo on").output == "on\n");
}

TEST_CASE("SUSPEND and WAKE out of turn break the contract") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start_echo(machine);
    Wire other = machine.open();
    other.send(HRUN_SUSPEND, bytes_of(kSlot));
    CHECK(error_text(*other.receive()) == "SUSPEND out of turn");
    Wire waking = machine.open();
    waking.send(HRUN_WAKE, bytes_of(wake_now()));
    CHECK(error_text(*waking.receive()) == "WAKE out of turn");
    REQUIRE(suspend(wire).empty());
    Wire greedy = machine.open();
    greedy.send(HRUN_WAKE, bytes_of(wake_now(HRUN_INITIAL_CREDIT + 1)));
    CHECK(error_text(*greedy.receive()) == "WAKE with more credit than there is");
    Tlvs networks;
    networks.add(HRUN_CONF_ADDRESS,
                 bytes_of(hrun_nic_address{19, HRUN_ADDRESS_IPV4, 16, 0, {172, 31, 0, 2}}));
    Wire unplugged = machine.open();
    unplugged.send(HRUN_WAKE, bytes_of(wake_now()) + networks.payload());
    CHECK(error_text(*unplugged.receive()) ==
          "network interface in slot 19: has an address but is not there");
}

TEST_CASE("a suspended container can be shut down") {
    REQUIRE_RIG();
    Machine machine;
    {
        Wire wire = start_echo(machine);
        REQUIRE(suspend(wire).empty());
    }
    Wire again = machine.open();
    again.send(HRUN_SHUTDOWN);
    again.expect(HRUN_SHUTDOWN_DONE);
}
