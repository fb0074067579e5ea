// SPDX-License-Identifier: Apache-2.0
#include "devices/platform/bus.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "devices/platform/i8042.h"

namespace hrun::platform {
namespace {

struct Recorder : BusDevice {
    void read(uint64_t offset, std::span<std::byte> data) override {
        std::fill(data.begin(), data.end(), static_cast<std::byte>(offset));
    }
    void write(uint64_t offset, std::span<const std::byte>) override { written = offset; }
    uint64_t written = UINT64_MAX;
};

uint32_t read(const Bus& bus, uint64_t address, size_t size) {
    uint32_t value = 0;
    bus.read(address, std::as_writable_bytes(std::span(&value, 1)).first(size));
    return value;
}

TEST_CASE("a device that is detached answers no more, and another can stand there") {
    Bus bus;
    Recorder first, second;
    bus.attach(0x1000, 0x10, first);
    bus.attach(0x2000, 0x10, first);
    bus.detach(0x1000);
    CHECK(read(bus, 0x1004, 1) == 0xff);
    CHECK(read(bus, 0x2004, 1) == 0x04);
    bus.attach(0x1000, 0x10, second);
    CHECK(read(bus, 0x1004, 1) == 0x04);
}

TEST_CASE("an access reaches the device it lies in, and nobody when it lies in none or in part") {
    Bus bus;
    Recorder low, high;
    bus.attach(0x2000, 0x10, high);
    bus.attach(0x1000, 0x10, low);
    CHECK(read(bus, 0x1004, 2) == 0x0404);
    CHECK(read(bus, 0x200f, 1) == 0x0f);
    CHECK(read(bus, 0x200f, 2) == 0xffff);
    CHECK(read(bus, 0x0fff, 2) == 0xffff);
    CHECK(read(bus, 0x1010, 1) == 0xff);
    CHECK(read(bus, UINT64_MAX, 4) == 0xffffffff);
    CHECK(read(Bus(), 0, 1) == 0xff);
    const std::byte bytes[4] = {};
    bus.write(0x1003, bytes);
    bus.write(0x200e, bytes); // over the end
    CHECK(low.written == 3);
    CHECK(high.written == UINT64_MAX);
}

TEST_CASE("only a pulse of the reset line resets") {
    int resets = 0;
    I8042 controller([&] { ++resets; });
    const auto write = [&](uint64_t offset, uint8_t value) {
        const std::byte byte{value};
        controller.write(offset, {&byte, 1});
    };
    write(0, 0xfe);
    write(4, 0xff);
    CHECK(resets == 0);
    write(4, 0xfe);
    CHECK(resets == 1);
    std::byte status{0xff};
    controller.read(4, {&status, 1});
    CHECK(status == std::byte{0});
}

} // namespace
} // namespace hrun::platform
