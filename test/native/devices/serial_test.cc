// SPDX-License-Identifier: Apache-2.0
#include "devices/platform/serial.h"

#include <doctest/doctest.h>

#include <string>

namespace hrun::platform {
namespace {

enum Register : uint64_t {
    kData,
    kInterruptEnable,
    kInterruptId,
    kLineControl,
    kModemControl,
    kLineStatus,
    kModemStatus,
    kScratch
};

struct Rig {
    uint8_t read(uint64_t offset) {
        std::byte value{};
        serial.read(offset, {&value, 1});
        return static_cast<uint8_t>(value);
    }
    void write(uint64_t offset, uint8_t value) {
        const std::byte byte{value};
        serial.write(offset, {&byte, 1});
    }

    EventFd interrupt = std::move(*EventFd::create());
    std::string output;
    Serial serial{[this](char byte) { output += byte; }, interrupt};
};

TEST_CASE("what the guest sends leaves at once, and there is always room for more") {
    Rig rig;
    for (const char byte : std::string("hello"))
        rig.write(kData, static_cast<uint8_t>(byte));
    CHECK(rig.output == "hello");
    CHECK(rig.read(kLineStatus) == 0x60);
    CHECK_FALSE(rig.interrupt.drain());
}

TEST_CASE("input is read in order and shows in the line status") {
    Rig rig;
    CHECK(rig.serial.receive(std::string("ab")) == 2);
    CHECK(rig.read(kLineStatus) == 0x61);
    CHECK(rig.read(kData) == 'a');
    CHECK(rig.read(kData) == 'b');
    CHECK(rig.read(kLineStatus) == 0x60);
    CHECK(rig.read(kData) == 0);
}

TEST_CASE("input beyond the FIFO is refused") {
    Rig rig;
    CHECK(rig.serial.receive(std::string(100, 'x')) == 64);
    CHECK(rig.serial.receive(std::string(1, 'y')) == 0);
    rig.read(kData);
    CHECK(rig.serial.receive(std::string(2, 'y')) == 1);
}

TEST_CASE("a guest may clear the FIFO") {
    Rig rig;
    rig.serial.receive(std::string("old"));
    rig.write(kInterruptId, 0x03);
    CHECK(rig.read(kLineStatus) == 0x60);
    CHECK(rig.read(kInterruptId) == 0xc1);
}

TEST_CASE("a received byte interrupts when that is enabled, until it is read") {
    Rig rig;
    rig.serial.receive(std::string("x"));
    CHECK_FALSE(rig.interrupt.drain());
    rig.write(kInterruptEnable, 1);
    CHECK(rig.interrupt.drain());
    CHECK(rig.read(kInterruptId) == 4);
    CHECK(rig.read(kInterruptId) == 4);
    rig.read(kData);
    CHECK(rig.read(kInterruptId) == 1);
    rig.serial.receive(std::string("y"));
    CHECK(rig.interrupt.drain());
}

TEST_CASE("an empty transmitter interrupts once per byte, and reading why ends it") {
    Rig rig;
    rig.write(kInterruptEnable, 2);
    CHECK(rig.interrupt.drain());
    CHECK(rig.read(kInterruptId) == 2);
    CHECK(rig.read(kInterruptId) == 1);
    rig.write(kData, 'x');
    CHECK(rig.interrupt.drain());
    CHECK(rig.read(kInterruptId) == 2);
}

TEST_CASE("received bytes come before an empty transmitter") {
    Rig rig;
    rig.write(kInterruptEnable, 3);
    rig.serial.receive(std::string("x"));
    CHECK(rig.read(kInterruptId) == 4);
    rig.read(kData);
    CHECK(rig.read(kInterruptId) == 2);
}

TEST_CASE("the divisor hides behind its latch") {
    Rig rig;
    rig.write(kLineControl, 0x83);
    CHECK(rig.read(kData) == 12);
    rig.write(kData, 0x34);
    rig.write(kInterruptEnable, 0x12);
    CHECK(rig.read(kData) == 0x34);
    CHECK(rig.read(kInterruptEnable) == 0x12);
    rig.write(kLineControl, 0x03);
    CHECK(rig.read(kInterruptEnable) == 0);
    CHECK(rig.output.empty());
}

TEST_CASE("in loopback what is sent is received, and modem outputs are its inputs") {
    Rig rig;
    rig.write(kModemControl, 0x1a); // loopback, OUT2, RTS: what Linux probes with
    CHECK((rig.read(kModemStatus) & 0xf0) == 0x90);
    for (int i = 0; i < 70; ++i)
        rig.write(kData, 'l');
    CHECK(rig.output.empty());
    CHECK(rig.read(kData) == 'l');
    CHECK(rig.serial.receive(std::string(3, 'm')) == 1); // the FIFO was full of it
    rig.write(kModemControl, 0);
    CHECK(rig.read(kModemStatus) == 0xb0);
}

TEST_CASE("scratch keeps its byte, and no access of any width or place does harm") {
    Rig rig;
    rig.write(kScratch, 0xa5);
    CHECK(rig.read(kScratch) == 0xa5);
    std::byte wide[8] = {};
    for (uint64_t offset = 0; offset < Serial::kPorts; ++offset) {
        rig.serial.read(offset, wide);
        CHECK(wide[7] == std::byte{0xff});
        rig.serial.write(offset, wide);
    }
}

} // namespace
} // namespace hrun::platform
