// SPDX-License-Identifier: Apache-2.0
// A device's registers and queues out of one transport and into another, with a console behind them.
#include <doctest/doctest.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <cstring>

#include "devices/driver_queue.h"
#include "devices/virtio/console.h"
#include "devices/virtio/rng.h"
#include "memory/memory_file.h"
#include "transport/mmio.h"

namespace hrun::transport {
namespace {

using virtio::test::DriverQueue;

constexpr uint64_t kMemory = 64 * 1024;

struct Memory {
    Memory() {
        auto file = create_memory_file("test", kMemory);
        REQUIRE((file && memory.add(std::move(*Mapping::share(file->get(), 0, kMemory)), 0)));
        for (const uint64_t base : {0x1000, 0x2000})
            queues.emplace_back(memory, base, 16);
    }
    GuestMemory memory;
    std::vector<DriverQueue> queues;
};

struct Rig {
    explicit Rig(Memory& guest) : guest(guest) {
        auto made = MmioTransport::create(console, guest.memory, *loop,
                                          [](const std::function<void()>& run) { run(); });
        REQUIRE(made);
        transport = std::move(*made);
    }
    uint32_t read(uint64_t offset) {
        uint32_t value;
        transport->read(offset, std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }
    void write(uint64_t offset, uint32_t value) {
        transport->write(offset, std::as_bytes(std::span(&value, 1)));
    }
    void start() {
        write(VIRTIO_MMIO_STATUS, 3);
        write(VIRTIO_MMIO_DRIVER_FEATURES, 1 << 0); // VIRTIO_CONSOLE_F_SIZE
        write(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
        write(VIRTIO_MMIO_DRIVER_FEATURES, 1); // VERSION_1
        write(VIRTIO_MMIO_STATUS, 11);
        for (uint32_t i = 0; i < 2; ++i) {
            const virtio::Virtqueue::Layout layout = guest.queues[i].layout();
            write(VIRTIO_MMIO_QUEUE_SEL, i);
            write(VIRTIO_MMIO_QUEUE_NUM, 16);
            write(VIRTIO_MMIO_QUEUE_DESC_LOW, static_cast<uint32_t>(layout.descriptor_table));
            write(VIRTIO_MMIO_QUEUE_AVAIL_LOW, static_cast<uint32_t>(layout.driver_area));
            write(VIRTIO_MMIO_QUEUE_USED_LOW, static_cast<uint32_t>(layout.device_area));
            write(VIRTIO_MMIO_QUEUE_READY, 1);
        }
        write(VIRTIO_MMIO_STATUS, 15);
        turn();
    }
    void turn() { REQUIRE(loop->run_once({})); }
    std::vector<std::byte> save() {
        ByteWriter out;
        REQUIRE(transport->save(out));
        return out.take();
    }
    Result<void> restore(std::span<const std::byte> bytes) {
        ByteReader in(bytes);
        return transport->restore(in);
    }

    Memory& guest;
    std::string output;
    std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create());
    virtio::ConsoleDevice console{*loop, {[this](std::span<const char> bytes) {
                                      output.append(bytes.begin(), bytes.end());
                                      return bytes.size();
                                  }}};
    std::unique_ptr<MmioTransport> transport;
};

// A console that has sent a buffer and has input that nobody has taken.
std::vector<std::byte> saved_console(Memory& guest) {
    Rig rig(guest);
    rig.start();
    REQUIRE(guest.memory.write(0x8000, "one", 3));
    guest.queues[1].offer({{0x8000, 3}});
    rig.transport->notification(1).signal();
    rig.turn();
    REQUIRE(guest.queues[1].take_used());
    CHECK(rig.output == "one");
    CHECK(rig.console.receive(std::string("input")) == 5);
    rig.turn();
    return rig.save();
}

} // namespace

TEST_CASE("a device goes on in another transport where it was") {
    Memory guest;
    const auto bytes = saved_console(guest);
    Rig rig(guest);
    REQUIRE(rig.restore(bytes));
    CHECK(rig.read(VIRTIO_MMIO_STATUS) == 15);
    CHECK(rig.transport->interrupt().drain()); // again, for it may have been lost on the way
    REQUIRE(guest.memory.write(0x8000, "two", 3));
    guest.queues[1].offer({{0x8000, 3}});
    guest.queues[0].offer({{0x9000, 16, true}});
    rig.turn();
    CHECK(rig.output == "two");
    REQUIRE(guest.queues[1].take_used());
    REQUIRE(guest.queues[0].take_used());
    char input[5];
    REQUIRE(guest.memory.read(0x9000, input, sizeof input));
    CHECK(std::string(input, 5) == "input");
}

TEST_CASE("what is saved again is the same") {
    Memory guest;
    const auto bytes = saved_console(guest);
    Rig rig(guest);
    REQUIRE(rig.restore(bytes));
    CHECK(rig.save() == bytes);
}

TEST_CASE("a driver that was told another configuration is told that it has changed") {
    Memory guest;
    const auto bytes = saved_console(guest);
    Rig rig(guest);
    rig.console.resize(80, 25);
    REQUIRE(rig.restore(bytes));
    CHECK((rig.read(VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG));
    CHECK(rig.read(VIRTIO_MMIO_CONFIG_GENERATION) == 1);
    CHECK(rig.read(VIRTIO_MMIO_CONFIG) == (80 | 25 << 16));
}

TEST_CASE("a state that no driver can have brought a device into is refused") {
    Memory guest;
    const auto good = saved_console(guest);
    const auto refused = [&](size_t at, uint8_t value) {
        auto bytes = good;
        bytes[at] = std::byte{value};
        Rig rig(guest);
        const Result<void> restored = rig.restore(bytes);
        return restored ? 0 : restored.error().code;
    };
    CHECK(refused(0, 4) == EINVAL);               // an entropy device
    CHECK(refused(4, 7) == EBADMSG);              // DRIVER_OK without FEATURES_OK
    CHECK(refused(4, 0x80 | 15) == 0);            // FAILED is the driver's own note
    CHECK(refused(5, 1) == EBADMSG);              // a status bit that is none
    CHECK(refused(18, 0xff) == EINVAL);           // features that are not offered
    CHECK(refused(30, 0x10) == EBADMSG);          // InterruptStatus
    CHECK(refused(294, 3) == EBADMSG);            // queues
    CHECK(refused(298 + 2 + 2, 0xff) == EBADMSG); // a descriptor table that is not in memory
    CHECK(refused(298, 3) == EBADMSG);            // a size that is no power of two
    for (size_t size = 0; size < good.size(); ++size) {
        Rig rig(guest);
        CHECK(!rig.restore(std::span(good).first(size)));
    }
}

} // namespace hrun::transport
