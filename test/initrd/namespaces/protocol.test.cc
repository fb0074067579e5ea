// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <stdexcept>

#include "namespaces/container.h"

using namespace hrun::test;

namespace {
// What the agent answers to these bytes on a connection of their own: the text of its ERROR, then end of file.
std::string answer_to(Machine& machine, const std::string& bytes, bool greet = true) {
    machine.open();
    Wire wire = machine.rig.connect();
    if (greet) {
        wire.hello();
        wire.expect(HRUN_HELLO);
    }
    wire.send_raw(bytes);
    auto frame = wire.receive();
    if (!frame || frame->type != HRUN_ERROR)
        return "no ERROR";
    CHECK(error_head(*frame).kind == HRUN_ERROR_PROTOCOL);
    CHECK(!wire.receive());
    return error_text(*frame);
}

std::string frame_bytes(uint32_t length, uint8_t type, uint8_t stream, uint16_t reserved,
                        const std::string& payload) {
    return bytes_of(hrun_frame_header{length, type, stream, reserved}) + payload;
}
} // namespace

TEST_CASE("whatever breaks the contract is answered by ERROR and ends that connection only") {
    REQUIRE_RIG();
    Machine machine;
    CHECK(answer_to(machine, frame_bytes(0, 99, 0, 0, "")) == "frame type 99 is not for the guest");
    CHECK(answer_to(machine, frame_bytes(0, HRUN_EXIT, 0, 0, "")) == "frame type 10 is not for the guest");
    CHECK(answer_to(machine, frame_bytes(0xffffffff, HRUN_START, 0, 0, "")) ==
          "frame type 4 with a length of 4294967295");
    CHECK(answer_to(machine, frame_bytes(5, HRUN_SIGNAL, 0, 0, "12345")) ==
          "frame type 8 with a length of 5");
    CHECK(answer_to(machine, frame_bytes(1, HRUN_DATA, 1, 0, "x")) == "frame type 6 on stream 1");
    CHECK(answer_to(machine, frame_bytes(1, HRUN_DATA, 0, 7, "x")) == "frame type 6 on stream 0");
    CHECK(answer_to(machine, frame_bytes(1, HRUN_DATA, 0, 0, "x")) == "frame type 6 before START");
    CHECK(answer_to(machine, frame_bytes(0, HRUN_START, 0, 0, ""), false) ==
          "HELLO must be the first frame, and only it");
    CHECK(answer_to(machine, frame_bytes(3, HRUN_START, 0, 0, "abc")) == "3 stray bytes after the last tag");
    CHECK(answer_to(machine, frame_bytes(0, HRUN_CONFIGURE, 0, 0, "")) == "CONFIGURE came twice");
    std::string hello = bytes_of(hrun_hello{HRUN_PROTOCOL_MAGIC, 2, 0});
    CHECK(answer_to(machine, frame_bytes(8, HRUN_HELLO, 0, 0, hello), false) ==
          "the guest speaks version 1 of the protocol, the host version 2");
    CHECK(machine.run_shell("echo alive").output == "alive\n");
}

TEST_CASE("more standard input than was credited ends the session") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = machine.open();
    Command command{.arguments = {"sleep", "100"}, .flags = HRUN_START_INIT_SESSION | HRUN_START_STDIN};
    wire.send(HRUN_START, start_tlvs(command).payload());
    wire.expect(HRUN_STARTED);
    /* The pipe takes 256 KiB, and that is credited back. */
    try {
        for (size_t sent = 0; sent < 2 * HRUN_INITIAL_CREDIT + 2 * HRUN_MAX_DATA; sent += HRUN_MAX_DATA)
            wire.send(HRUN_DATA, std::string(HRUN_MAX_DATA, 'x'), HRUN_STDIN);
    } catch (const std::runtime_error&) { // the agent has hung up before it was all sent
    }
    CHECK(finish_session(wire).failure == "more standard input than was credited");
}

TEST_CASE("peers that connect and say nothing keep nobody out") {
    REQUIRE_RIG();
    Machine machine;
    machine.open();
    std::vector<Wire> silent;
    for (int i = 0; i < 200; i++)
        silent.push_back(machine.rig.connect());
    CHECK(machine.run_shell("echo in").output == "in\n");
}

TEST_CASE("frames that come byte by byte, and all at once, mean the same") {
    REQUIRE_RIG();
    Machine machine;
    machine.open();
    Command command{.arguments = {"cat"}, .flags = HRUN_START_INIT_SESSION | HRUN_START_STDIN};
    std::string start = start_tlvs(command).payload();
    std::string all = frame_bytes(8, HRUN_HELLO, 0, 0, bytes_of(hrun_hello{HRUN_PROTOCOL_MAGIC, 1, 0})) +
                      frame_bytes(static_cast<uint32_t>(start.size()), HRUN_START, 0, 0, start) +
                      frame_bytes(2, HRUN_DATA, 0, 0, "hi") + frame_bytes(0, HRUN_DATA, 0, 0, "");
    Wire wire = machine.rig.connect();
    SUBCASE("byte by byte") {
        for (char byte : all)
            wire.send_raw(std::string(1, byte));
    }
    SUBCASE("all at once") {
        wire.send_raw(all);
    }
    CHECK(finish_session(wire).output == "hi");
}
