// SPDX-License-Identifier: Apache-2.0
// virtio-mmio, version 2 (virtio 1.2, 4.2): one device's registers.
//
// Registers are accessed on vCPU threads, the device lives on another. All that calls the device or moves its queues
// (reset, DRIVER_OK, configuration space) is handed to the device's thread and waited for; the rest is answered here
// under a lock. Notifications and interrupts do not pass through here at all: they are event descriptors. Nor does what a
// driver's interrupt handler does: it reads InterruptStatus from a page of read-only memory, and its acknowledgement of used
// buffers is a write that KVM drops. That bit of the status is therefore set by the first used buffer and stays so until
// reset: "acknowledged" tells the device nothing that it needs (4.2.3.4), for its interrupts are edges. So another process can serve
// the queues (Device::served_elsewhere) with nobody here to set it.
#pragma once

#include <linux/virtio_config.h>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/event_fd.h"
#include "base/event_loop.h"
#include "devices/platform/bus.h"
#include "devices/virtio/device.h"
#include "transport/register_page.h"

namespace hrun::transport {

constexpr uint32_t kMagic = 0x74726976; // "virt"
constexpr uint32_t kVersion = 2;
// Where the driver notifies of a queue: the register that ioeventfds stand for.
constexpr uint64_t kQueueNotifyOffset = 0x50;
// Where the driver acknowledges interrupts, and what it writes there for used buffers alone: nobody need be told.
constexpr uint64_t kInterruptAckOffset = 0x64;
constexpr uint32_t kUsedBufferAck = 1;

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
    // What the guest is to read at RegisterPage::kStart and up.
    RegisterPage& page() { return *page_; }

    void read(uint64_t offset, std::span<std::byte> data) override;
    void write(uint64_t offset, std::span<const std::byte> data) override;

    // For snapshots; on the device's thread, while no vCPU runs. Registers, where each queue is and how far, and the device's own
    // state. ENOTSUP for a device that another process serves.
    Result<void> save(ByteWriter& out);
    // Into a transport that no driver has touched: the device is active again if it was. What the driver may have missed is told
    // again: interrupts that were under way, a configuration space that is another. EBADMSG: no driver could have brought a device into
    // that state; EINVAL: the device is another.
    Result<void> restore(ByteReader& in);

  private:
    struct Saved;
    // What the driver has written about one queue; taken into use at DRIVER_OK, not looked at afterwards.
    struct QueueSetup {
        virtio::Virtqueue::Layout layout;
        bool ready = false;
    };
    // 2.1: status bits that a driver may set. FAILED is its own note.
    static constexpr uint32_t kStatusDriver = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                                              VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK |
                                              VIRTIO_CONFIG_S_FAILED;
    struct QueueEvents {
        EventFd notification;
        Watch watch;
    };

    MmioTransport(virtio::Device& device, const GuestMemory& memory, OnDeviceThread on_device_thread,
                  EventFd interrupt);
    void show_config();
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
    void hand_over_queues();
    void needs_reset();
    Saved read_saved(ByteReader& in) const;
    Result<void> check_saved(const Saved& saved) const;
    Result<void> resume_device(const Saved& saved);
    void raise(uint32_t reason);

    void signal_queue(uint16_t queue) override;
    void signal_config() override;
    void signal_broken(uint16_t queue) override;

    virtio::Device& device_;
    const GuestMemory& memory_;
    OnDeviceThread on_device_thread_;
    EventFd interrupt_;
    // Holds InterruptStatus, Status with DEVICE_NEEDS_RESET, and ConfigGeneration; both threads write there.
    std::unique_ptr<RegisterPage> page_ = std::make_unique<RegisterPage>();

    // Belongs to the device's thread.
    std::vector<virtio::Virtqueue> virtqueues_;
    std::vector<QueueEvents> queues_;
    bool active_ = false;

    // One register access at a time: held by vCPU threads also while they wait for the device's thread, which never
    // takes it.
    std::mutex mutex_;
    uint32_t status_ = 0; // what the driver has set of it
    uint32_t device_features_select_ = 0;
    uint32_t driver_features_select_ = 0;
    uint64_t driver_features_ = 0;
    uint32_t queue_select_ = 0;
    std::vector<QueueSetup> setups_;
};

} // namespace hrun::transport
