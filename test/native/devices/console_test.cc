// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/console.h"

#include <doctest/doctest.h>

#include "devices/guest_device.h"

namespace hrun::virtio {
namespace {

using test::GuestDevice;
constexpr uint64_t kAt = GuestDevice::kBuffers;
constexpr uint64_t kSizeFeature = 1;

struct Rig {
    explicit Rig(uint64_t features = kSizeFeature) { guest.start(console, features); }

    size_t take(std::span<const char> bytes) {
        const size_t count = std::min(bytes.size(), room);
        output.append(bytes.data(), count);
        room -= count;
        return count;
    }

    GuestDevice guest;
    std::string output;
    size_t room = SIZE_MAX;
    int rooms_told = 0;
    ConsoleDevice console{
        *guest.loop, {[this](std::span<const char> bytes) { return take(bytes); }, [this] { ++rooms_told; }}};
};

TEST_CASE("what the guest writes reaches the host, whatever buffers it comes in") {
    Rig rig;
    rig.guest.put(kAt, "hello world");
    rig.guest.offer(ConsoleDevice::kTransmit, {{kAt, 6}, {kAt + 6, 5}});
    CHECK(rig.guest.take(ConsoleDevice::kTransmit)->length == 0);
    CHECK(rig.output == "hello world");
}

TEST_CASE("output that the host does not take stays in the guest's buffers and comes once") {
    Rig rig;
    rig.room = 3;
    rig.guest.put(kAt, "abcdefgh");
    rig.guest.offer(ConsoleDevice::kTransmit, {{kAt, 5}, {kAt + 5, 3}});
    rig.guest.offer(ConsoleDevice::kTransmit, {{kAt, 2}});
    CHECK_FALSE(rig.guest.take(ConsoleDevice::kTransmit));
    CHECK(rig.output == "abc");
    rig.room = 3;
    rig.console.output_ready();
    CHECK_FALSE(rig.guest.take(ConsoleDevice::kTransmit));
    CHECK(rig.output == "abcdef");
    rig.room = SIZE_MAX;
    rig.console.output_ready();
    CHECK(rig.guest.take(ConsoleDevice::kTransmit));
    CHECK(rig.guest.take(ConsoleDevice::kTransmit));
    CHECK(rig.output == "abcdefghab");
}

TEST_CASE("a chain that shrinks while the host is full does no harm") {
    Rig rig;
    rig.room = 6;
    rig.guest.put(kAt, "abcdefgh");
    const uint16_t head = rig.guest.offer(ConsoleDevice::kTransmit, {{kAt, 8}});
    rig.guest.drivers[ConsoleDevice::kTransmit].descriptor(head).len = 2;
    rig.room = SIZE_MAX;
    rig.console.output_ready();
    CHECK(rig.guest.take(ConsoleDevice::kTransmit));
    CHECK(rig.output == "abcdef");
}

TEST_CASE("a megabyte in one buffer comes whole, over several turns") {
    Rig rig;
    const std::string large(1 << 20, 'x');
    rig.guest.put(kAt, large);
    rig.guest.offer(ConsoleDevice::kTransmit, {{kAt, 1 << 20}});
    CHECK(rig.output.size() < large.size());
    CHECK(rig.guest.take(ConsoleDevice::kTransmit));
    CHECK(rig.output == large);
}

TEST_CASE("input waits for buffers, fills them in order, and no byte is lost") {
    Rig rig;
    CHECK(rig.console.receive(std::string("one two")) == 7);
    rig.guest.settle();
    rig.guest.offer(ConsoleDevice::kReceive, {{kAt, 2, true}, {kAt + 2, 3, true}});
    CHECK(rig.guest.take(ConsoleDevice::kReceive)->length == 5);
    rig.guest.offer(ConsoleDevice::kReceive, {{kAt + 5, 100, true}});
    CHECK(rig.guest.take(ConsoleDevice::kReceive)->length == 2);
    CHECK(rig.guest.get(kAt, 7) == "one two");
    rig.guest.offer(ConsoleDevice::kReceive, {{kAt, 8, true}});
    CHECK_FALSE(rig.guest.take(ConsoleDevice::kReceive));
    CHECK(rig.console.receive(std::string("!")) == 1);
    CHECK(rig.guest.take(ConsoleDevice::kReceive)->length == 1);
}

TEST_CASE("a host that sends faster than the guest reads is told to wait, and when to go on") {
    Rig rig;
    const std::string much(ConsoleDevice::kInputBytes + 10, 'y');
    CHECK(rig.console.receive(much) == ConsoleDevice::kInputBytes);
    CHECK(rig.console.receive(much) == 0);
    rig.guest.settle();
    CHECK(rig.rooms_told == 0);
    rig.guest.offer(ConsoleDevice::kReceive, {{kAt, 64, true}});
    CHECK(rig.guest.take(ConsoleDevice::kReceive));
    CHECK(rig.rooms_told == 1);
    CHECK(rig.console.receive(much) == 64);
}

TEST_CASE("the driver sees the terminal's size and hears of its change") {
    Rig rig;
    rig.console.resize(132, 43);
    CHECK(rig.guest.config<uint16_t>(0) == 132);
    CHECK(rig.guest.config<uint16_t>(2) == 43);
    CHECK(rig.guest.config<uint32_t>(4) == 0);
    CHECK(rig.guest.config<uint64_t>(12) == 0);
    CHECK(rig.guest.config_changes == 1);
}

TEST_CASE("a driver without the size feature hears nothing of it") {
    Rig rig(0);
    rig.console.resize(132, 43);
    CHECK(rig.guest.config_changes == 0);
}

TEST_CASE("an emergency write is one character, other writes to the configuration are none") {
    Rig rig;
    const uint32_t character = 'E';
    const auto bytes = std::as_bytes(std::span(&character, 1));
    rig.console.write_config(8, bytes);
    rig.console.write_config(0, bytes);
    rig.console.write_config(12, bytes);
    rig.console.write_config(UINT32_MAX, bytes);
    CHECK(rig.output == "E");
    rig.room = 0;
    rig.console.write_config(8, bytes);
    CHECK(rig.output == "E");
}

TEST_CASE("buffers of the wrong direction come back empty") {
    Rig rig;
    rig.guest.offer(ConsoleDevice::kTransmit, {{kAt, 8, true}});
    CHECK(rig.guest.take(ConsoleDevice::kTransmit)->length == 0);
    CHECK(rig.output.empty());
    rig.console.receive(std::string("x"));
    rig.guest.offer(ConsoleDevice::kReceive, {{kAt, 8}});
    CHECK(rig.guest.take(ConsoleDevice::kReceive)->length == 0);
    rig.guest.offer(ConsoleDevice::kReceive, {{kAt, 8, true}});
    CHECK(rig.guest.take(ConsoleDevice::kReceive)->length == 1);
}

} // namespace
} // namespace hrun::virtio
