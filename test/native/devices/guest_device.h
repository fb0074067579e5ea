// SPDX-License-Identifier: Apache-2.0
// The guest's half of any device for tests: memory, one driver queue for each of the device's, and what it was told.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/event_loop.h"
#include "devices/driver_queue.h"
#include "devices/test_memory.h"
#include "devices/virtio/device.h"

namespace hrun::virtio::test {

class GuestDevice : public Interrupt {
  public:
    static constexpr uint16_t kSize = 16;
    static constexpr uint64_t kBuffers = 0x40000; // free memory for the tests
    static constexpr uint64_t kMemory = 4 << 20;

    GuestDevice() {
        auto made = EventLoop::create();
        REQUIRE(made);
        loop = std::move(*made);
        hrun::test::add_memory(memory, 0, kMemory);
    }

    // Sets all queues up and activates.
    void start(Device& device, uint64_t features) {
        device_ = &device;
        drivers.clear();
        queues.clear();
        for (const uint16_t max : device.queue_max_sizes()) {
            drivers.emplace_back(memory, 0x1000u * (drivers.size() + 1), kSize);
            queues.emplace_back(max);
        }
        for (size_t i = 0; i < queues.size(); ++i)
            REQUIRE(queues[i].start(memory, drivers[i].layout(), features | kFeatureVersion1, {}));
        device.activate({&memory, queues, this, features | kFeatureVersion1});
    }
    // As a reset does.
    void stop() {
        device_->deactivate();
        device_ = nullptr;
    }

    uint16_t offer(uint16_t queue, const std::vector<Buffer>& buffers) {
        const uint16_t head = drivers[queue].offer(buffers);
        device_->queue_notify(queue);
        return head;
    }
    // The next chain that came back; serves the loop meanwhile.
    std::optional<Used> take(uint16_t queue) {
        for (int tries = 0; tries < 20; ++tries) {
            if (const auto used = drivers[queue].take_used())
                return used;
            settle();
        }
        return std::nullopt;
    }
    void settle() {
        for (int i = 0; i < 3; ++i)
            REQUIRE(loop->run_once({}));
    }

    void put(uint64_t address, const std::string& bytes) {
        REQUIRE(memory.write(address, bytes.data(), bytes.size()));
    }
    template <class T> void put(uint64_t address, const std::vector<T>& values) {
        REQUIRE(memory.write(address, values.data(), values.size() * sizeof(T)));
    }
    std::string get(uint64_t address, size_t size) const {
        std::string bytes(size, '\0');
        REQUIRE(memory.read(address, bytes.data(), size));
        return bytes;
    }
    template <class T> T config(uint32_t offset) const {
        T value{};
        device_->read_config(offset, std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }

    void signal_queue(uint16_t) override { ++interrupts; }
    void signal_config() override { ++config_changes; }
    void signal_broken(uint16_t queue) override { broken.push_back(queue); }

    GuestMemory memory;
    std::unique_ptr<EventLoop> loop;
    std::vector<DriverQueue> drivers;
    std::vector<Virtqueue> queues;
    std::vector<uint16_t> broken;
    int interrupts = 0;
    int config_changes = 0;

  private:
    Device* device_ = nullptr;
};

} // namespace hrun::virtio::test
