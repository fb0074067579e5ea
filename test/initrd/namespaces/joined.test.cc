// SPDX-License-Identifier: Apache-2.0
// JOIN and PART: a further container in the machine, served by an agent of its own.
#include <doctest/doctest.h>

#include "namespaces/container.h"

using namespace hrun::test;

namespace {

// The first container, which sleeps, and the layer and disk of a further one.
struct SharedMachine : Machine {
    uint32_t layer = rig.add_layer(BUSYBOX_LAYER);
    uint32_t disk = rig.add_writable();
    Wire first;

    SharedMachine() : first(begin()) {}

    Wire begin() {
        configure.add(HRUN_CONF_HOSTNAME, "shared")
            .add(HRUN_CONF_FILE, fields({"/etc/hosts", "of the first"}));
        Wire wire = open();
        wire.send(HRUN_START,
                  start_tlvs({.arguments = {"sleep", "1000"}, .flags = HRUN_START_INIT_SESSION}).payload());
        wire.expect(HRUN_STARTED);
        return wire;
    }

    Wire greeted(Wire wire) {
        wire.hello();
        wire.expect(HRUN_HELLO);
        return wire;
    }

    // Brings the disks, and returns the port of the agent.
    uint32_t join(Wire& wire) {
        wire.send(HRUN_JOIN, bytes_of(layer) + bytes_of(disk));
        uint32_t port = 0;
        wire.expect(HRUN_JOINED).payload.copy(reinterpret_cast<char*>(&port), sizeof port);
        return port;
    }

    Tlvs further() const { return Tlvs().add_u32(HRUN_CONF_LAYER, layer).add_u32(HRUN_CONF_WRITABLE, disk); }
};

} // namespace

TEST_CASE("a further container has the name and files of the first, and a root and processes of its own") {
    REQUIRE_RIG();
    SharedMachine machine;
    for (int run = 1; run <= 2; run++) {
        Wire owner = machine.greeted(machine.rig.connect());
        const uint32_t port = machine.join(owner);
        CHECK(port == HRUN_AGENT_PORT + 1);
        Wire wire = machine.greeted(machine.rig.connect(port));
        wire.send(HRUN_CONFIGURE, machine.further().payload());
        wire.expect(HRUN_CONFIGURED);
        const Outcome outcome = run_session(
            wire, {.arguments = {"sh", "-c",
                                 "hostname; cat /etc/hosts; echo; echo >> /root/runs; wc -l < /root/runs; "
                                 "echo /proc/[0-9]*; cat /proc/self/oom_score_adj; exit 3"},
                   .flags = HRUN_START_INIT_SESSION});
        CHECK(outcome.output == "shared\nof the first\n" + std::to_string(run) + "\n/proc/1\n0\n");
        CHECK(outcome.exit.code == 3);
        wire.send(HRUN_SHUTDOWN);
        wire.expect(HRUN_SHUTDOWN_DONE);
        owner.send(HRUN_PART);
        owner.expect(HRUN_PARTED);
    }
    CHECK(machine.run({.arguments = {"true"}}).failure == "START of the container out of turn");
}

TEST_CASE("a further container ends with the connection that has brought it, whatever it does") {
    REQUIRE_RIG();
    SharedMachine machine;
    Wire* owner = new Wire(machine.greeted(machine.rig.connect()));
    Wire wire = machine.greeted(machine.rig.connect(machine.join(*owner)));
    wire.send(HRUN_CONFIGURE, machine.further().payload());
    wire.expect(HRUN_CONFIGURED);
    wire.send(HRUN_START,
              start_tlvs({.arguments = {"sleep", "1000"}, .flags = HRUN_START_INIT_SESSION}).payload());
    wire.expect(HRUN_STARTED);
    delete owner;
    CHECK_FALSE(wire.receive());
    // Its slots and its number are free again once it is gone.
    Wire next = machine.greeted(machine.rig.connect());
    CHECK(machine.join(next) <= HRUN_AGENT_PORT + 2);
    next.send(HRUN_PART);
    next.expect(HRUN_PARTED);
}

TEST_CASE("what belongs to the machine is not a further container's to set") {
    REQUIRE_RIG();
    SharedMachine machine;
    Wire owner = machine.greeted(machine.rig.connect());
    const uint32_t port = machine.join(owner);
    const auto answer = [&](uint8_t type, const std::string& payload) {
        Wire wire = machine.greeted(machine.rig.connect(port));
        wire.send(type, payload);
        return wire.expect(HRUN_ERROR).payload.substr(sizeof(hrun_error));
    };
    CHECK(answer(HRUN_JOIN, bytes_of(uint32_t{5})) == "frame type 25 to the agent of a further container");
    CHECK(answer(HRUN_NETWORK, "") == "frame type 22 to the agent of a further container");
    CHECK(answer(HRUN_LIMIT, bytes_of(hrun_limits{0, 0, 1})) ==
          "frame type 20 to the agent of a further container");
    CHECK(answer(HRUN_PART, "") == "PART of what has not joined");
    CHECK(answer(HRUN_CONFIGURE, machine.further().add(HRUN_CONF_HOSTNAME, "other").payload()) ==
          "a container that shares the machine of another has its clock, CPUs, names and network");
}

TEST_CASE("before there is a container, a further one is a rehearsal, of which nothing is left") {
    REQUIRE_RIG();
    Machine machine;
    const uint32_t layer = machine.rig.add_layer(BUSYBOX_LAYER), disk = machine.rig.add_writable();
    machine.rig.start();
    const auto greeted = [](Wire wire) {
        wire.hello();
        wire.expect(HRUN_HELLO);
        return wire;
    };
    for (int run = 1; run <= 2; run++) {
        Wire owner = greeted(machine.rig.connect());
        owner.send(HRUN_JOIN, bytes_of(layer) + bytes_of(disk));
        uint32_t port = 0;
        owner.expect(HRUN_JOINED).payload.copy(reinterpret_cast<char*>(&port), sizeof port);
        Wire wire = greeted(machine.rig.connect(port));
        wire.send(HRUN_CONFIGURE,
                  Tlvs().add_u32(HRUN_CONF_LAYER, layer).add_u32(HRUN_CONF_WRITABLE, disk).payload());
        wire.expect(HRUN_CONFIGURED);
        const Outcome outcome =
            run_session(wire, {.arguments = {"hostname", "rehearsed"}, .flags = HRUN_START_INIT_SESSION});
        CHECK(outcome.failure == "");
        owner.send(HRUN_PART);
        owner.expect(HRUN_PARTED);
    }
    machine.configure.add(HRUN_CONF_HOSTNAME, "own");
    const Outcome outcome = machine.run_shell("hostname; echo /proc/[0-9]*; ls -A /root");
    CHECK(outcome.output == "own\n/proc/1\n");
    CHECK(outcome.exit.code == 0);
}
