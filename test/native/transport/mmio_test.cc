// SPDX-License-Identifier: Apache-2.0
// What the driver reads of virtio-mmio's registers, without a machine: by the page that the guest is shown.
#include "transport/mmio.h"

#include <doctest/doctest.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <cstring>

#include "devices/driver_queue.h"
#include "devices/virtio/console.h"
#include "memory/memory_file.h"

namespace hrun::transport {
namespace {

using virtio::test::DriverQueue;

constexpr uint64_t kMemory = 64 * 1024;
constexpr uint32_t kAcknowledge = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
constexpr uint32_t kFeaturesOk = kAcknowledge | VIRTIO_CONFIG_S_FEATURES_OK;

struct Rig {
    Rig() {
        auto file = create_memory_file("test", kMemory);
        REQUIRE(file);
        auto mapping = Mapping::share(file->get(), 0, kMemory);
        REQUIRE((mapping && memory.add(std::move(*mapping), 0)));
        for (const uint64_t base : {0x1000, 0x2000})
            queues.emplace_back(memory, base, 16);
        auto made =
            MmioTransport::create(console, memory, *loop, [](const std::function<void()>& run) { run(); });
        REQUIRE(made);
        transport = std::move(*made);
    }
    uint32_t page(uint64_t offset) const {
        uint32_t value;
        memcpy(&value, transport->page().data() + (offset - RegisterPage::kStart), sizeof value);
        return value;
    }
    void write(uint64_t offset, uint32_t value) {
        transport->write(offset, std::as_bytes(std::span(&value, 1)));
    }
    void negotiate() {
        write(VIRTIO_MMIO_STATUS, kAcknowledge);
        write(VIRTIO_MMIO_DRIVER_FEATURES, 1 << 0); // VIRTIO_CONSOLE_F_SIZE
        write(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
        write(VIRTIO_MMIO_DRIVER_FEATURES, 1); // VERSION_1
        write(VIRTIO_MMIO_STATUS, kFeaturesOk);
    }
    // With a queue for input and one for output.
    void start() {
        negotiate();
        for (uint32_t i = 0; i < 2; ++i) {
            write(VIRTIO_MMIO_QUEUE_SEL, i);
            write(VIRTIO_MMIO_QUEUE_NUM, 16);
            write(VIRTIO_MMIO_QUEUE_DESC_LOW, static_cast<uint32_t>(queues[i].layout().descriptor_table));
            write(VIRTIO_MMIO_QUEUE_AVAIL_LOW, static_cast<uint32_t>(queues[i].layout().driver_area));
            write(VIRTIO_MMIO_QUEUE_USED_LOW, static_cast<uint32_t>(queues[i].layout().device_area));
            write(VIRTIO_MMIO_QUEUE_READY, 1);
        }
        write(VIRTIO_MMIO_STATUS, kFeaturesOk | VIRTIO_CONFIG_S_DRIVER_OK);
    }
    void send() {
        queues[1].offer({{0x8000, 4}});
        transport->notification(1).signal();
        REQUIRE(loop->run_once({}));
        REQUIRE(queues[1].take_used());
    }

    std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create());
    virtio::ConsoleDevice console{*loop, {[](std::span<const char> bytes) { return bytes.size(); }}};
    GuestMemory memory;
    std::unique_ptr<MmioTransport> transport;
    std::vector<DriverQueue> queues;
};

TEST_CASE("the page shows the driver's status, and none after a reset") {
    Rig rig;
    CHECK(rig.page(VIRTIO_MMIO_STATUS) == 0);
    rig.start();
    CHECK(rig.page(VIRTIO_MMIO_STATUS) == (kFeaturesOk | VIRTIO_CONFIG_S_DRIVER_OK));
    rig.send();
    rig.write(VIRTIO_MMIO_STATUS, 0);
    CHECK(rig.page(VIRTIO_MMIO_STATUS) == 0);
    CHECK(rig.page(VIRTIO_MMIO_INTERRUPT_STATUS) == 0);
}

TEST_CASE("used buffers show from the first one on, configuration changes until they are acknowledged") {
    Rig rig;
    rig.start();
    CHECK(rig.page(VIRTIO_MMIO_INTERRUPT_STATUS) == 0);
    rig.send();
    CHECK(rig.page(VIRTIO_MMIO_INTERRUPT_STATUS) == VIRTIO_MMIO_INT_VRING);
    rig.write(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
    CHECK(rig.page(VIRTIO_MMIO_INTERRUPT_STATUS) == VIRTIO_MMIO_INT_VRING);
    rig.console.resize(100, 40);
    CHECK(rig.page(VIRTIO_MMIO_INTERRUPT_STATUS) == (VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG));
    rig.write(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
    CHECK(rig.page(VIRTIO_MMIO_INTERRUPT_STATUS) == VIRTIO_MMIO_INT_VRING);
}

TEST_CASE("the page has the configuration, and a new generation with each change") {
    Rig rig;
    CHECK(rig.page(VIRTIO_MMIO_CONFIG) == 0);
    rig.console.resize(80, 24);
    rig.start();
    CHECK(rig.page(VIRTIO_MMIO_CONFIG) == (24u << 16 | 80));
    const uint32_t generation = rig.page(VIRTIO_MMIO_CONFIG_GENERATION);
    rig.console.resize(100, 40);
    CHECK(rig.page(VIRTIO_MMIO_CONFIG) == (40u << 16 | 100));
    CHECK(rig.page(VIRTIO_MMIO_CONFIG_GENERATION) == generation + 1);
}

TEST_CASE("a change that no driver could be told of shows when features are agreed on, and when the driver "
          "is ready") {
    Rig rig;
    rig.console.resize(80, 24);
    rig.negotiate();
    CHECK(rig.page(VIRTIO_MMIO_CONFIG) == (24u << 16 | 80));
    rig.console.resize(100, 40);
    rig.write(VIRTIO_MMIO_STATUS, kFeaturesOk | VIRTIO_CONFIG_S_DRIVER_OK);
    CHECK(rig.page(VIRTIO_MMIO_CONFIG) == (40u << 16 | 100));
}

TEST_CASE("a driver's mistake shows as DEVICE_NEEDS_RESET") {
    Rig rig;
    rig.start();
    rig.queues[1].set_avail_index(1000);
    rig.transport->notification(1).signal();
    REQUIRE(rig.loop->run_once({}));
    CHECK((rig.page(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET) != 0);
    CHECK((rig.page(VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG) != 0);
}

TEST_CASE("no shared memory is a length of all ones, and nothing lies behind the configuration") {
    const Rig rig;
    CHECK(rig.page(VIRTIO_MMIO_SHM_LEN_LOW) == UINT32_MAX);
    CHECK(rig.page(VIRTIO_MMIO_SHM_LEN_HIGH) == UINT32_MAX);
    for (uint64_t at = VIRTIO_MMIO_CONFIG + 16; at < RegisterPage::kStart + RegisterPage::kSize; at += 4)
        REQUIRE(rig.page(at) == 0);
    uint64_t across = ~0ull; // the end of the page
    rig.transport->read(RegisterPage::kStart + RegisterPage::kSize - 4,
                        std::as_writable_bytes(std::span(&across, 1)));
    CHECK(across == 0);
}

} // namespace
} // namespace hrun::transport
