// SPDX-License-Identifier: Apache-2.0
// virtio-mmio, version 2 (virtio 1.2, 4.2): one device's registers.
//
// Registers are accessed on vCPU threads, the device lives on another. All that calls the device or moves its queues
// (reset, DRIVER_OK, configuration space) is handed to the device's thread and waited for; the rest is answered here
// under a lock. Notifications and interrupts do not pass through here at all: they are event descriptors.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "base/event_fd.h"
#include "base/event_loop.h"
#include "devices/platform/bus.h"
#include "devices/virtio/device.h"

namespace hrun::transport {

// Where the driver notifies of a queue: the register that ioeventfds stand for.
constexpr uint64_t kQueueNotifyOffset = 0x50;

class MmioTransport : public platform::BusDevice, private virtio::Interrupt {
  public:
    // Runs a function on the device's thread and returns when it has run, or will never run.
    using OnDeviceThread = std::function<void(const std::function<void()>&)>;

    // `device` and `memory` must outlive the transport.
    static Result<std::unique_ptr<MmioTransport>> create(virtio::Device& device, const GuestMemory& memory,
                                                         EventLoop& loop, OnDeviceThread on_device_thread);
    ~MmioTransport() override;

    // To be signalled when the driver writes QueueNotify; one per queue.
    const EventFd& notification(uint16_t queue) const { return queues_[queue].notification; }
    uint16_t queue_count() const { return static_cast<uint16_t>(queues_.size()); }
    // Signalled for each interrupt.
    const EventFd& interrupt() const { return interrupt_; }

    void read(uint64_t offset, std::span<std::byte> data) override;
    void write(uint64_t offset, std::span<const std::byte> data) override;

  private:
    // What the driver has written about one queue; taken into use at DRIVER_OK, not looked at afterwards.
    struct QueueSetup {
        virtio::Virtqueue::Layout layout;
        bool ready = false;
    };
    struct QueueEvents {
        EventFd notification;
        Watch watch;
    };

    MmioTransport(virtio::Device& device, const GuestMemory& memory, OnDeviceThread on_device_thread,
                  EventFd interrupt);
    Result<void> watch_queues(EventLoop& loop);

    uint32_t read_register(uint64_t offset);
    void write_register(uint64_t offset, uint32_t value);
    uint32_t read_queue_register(uint64_t offset) const;
    void write_queue_register(uint64_t offset, uint32_t value);
    void write_driver_features(uint32_t value);
    void write_status(uint32_t value);

    bool features_acceptable() const;
    bool queues_configurable() const;
    void reset();
    void activate();
    bool start_queues();
    void needs_reset();
    void raise(uint32_t reason);

    void signal_queue(uint16_t queue) override;
    void signal_config() override;
    void signal_broken(uint16_t queue) override;

    virtio::Device& device_;
    const GuestMemory& memory_;
    OnDeviceThread on_device_thread_;
    EventFd interrupt_;
    std::atomic<uint32_t> interrupt_status_ = 0;
    std::atomic<uint32_t> config_generation_ = 0;
    std::atomic<bool> needs_reset_ = false; // DEVICE_NEEDS_RESET, set from the device's thread

    // Belongs to the device's thread.
    std::vector<virtio::Virtqueue> virtqueues_;
    std::vector<QueueEvents> queues_;
    bool active_ = false;

    // One register access at a time: held by vCPU threads also while they wait for the device's thread, which never
    // takes it.
    std::mutex mutex_;
    uint32_t status_ = 0;
    uint32_t device_features_select_ = 0;
    uint32_t driver_features_select_ = 0;
    uint64_t driver_features_ = 0;
    uint32_t queue_select_ = 0;
    std::vector<QueueSetup> setups_;
};

} // namespace hrun::transport
