// SPDX-License-Identifier: Apache-2.0
// A virtio device whose queues a vhost-user back end serves: registers and configuration space are here, and no byte of its
// data passes through this process. Notifications and interrupts are event descriptors that the back end is given.
#pragma once

#include <functional>
#include <vector>

#include "base/event_loop.h"
#include "transport/vhost_user_front_end.h"

namespace hrun::vhost_user {

class RemoteDevice : public virtio::Device {
  public:
    struct Identity {
        virtio::DeviceId id;
        std::vector<uint16_t> queue_sizes;
        std::vector<std::byte> config;
    };
    // Told once, on the loop's thread, why the back end is of no use any more; ECONNRESET or EPIPE when it has gone.
    using Failed = std::function<void(const Error&)>;

    static constexpr FrontEnd::Limit kAnswerLimit{10'000};

    // `socket` is connected to the back end, or will be; nothing is said on it yet.
    RemoteDevice(EventLoop& loop, Fd socket, Identity identity, Failed failed,
                 FrontEnd::Limit limit = kAnswerLimit);

    // Before the driver sees the device: waits for the back end, which gets the guest's memory when the driver is ready.
    // Region addresses are the guest's, as user addresses too. `memory` stays the caller's.
    Result<void> connect(int memory, std::vector<MemoryRegion> regions);
    // For a machine that comes to its end: the back end is not asked to finish first.
    void disconnect();

    virtio::DeviceId device_id() const override { return identity_.id; }
    uint64_t device_features() const override { return features_; }
    std::span<const uint16_t> queue_max_sizes() const override { return identity_.queue_sizes; }
    bool served_elsewhere() const override { return true; }
    void read_config(uint32_t offset, std::span<std::byte> out) const override;
    void activate(const virtio::Activation& activation) override;
    void deactivate() override;
    void queue_notify(uint16_t) override {}

  private:
    Result<void> start(const virtio::Activation& activation);
    void fail(const Error& error);

    EventLoop& loop_;
    FrontEnd front_end_;
    Identity identity_;
    Failed failed_;
    Fd memory_;
    std::vector<MemoryRegion> regions_;
    uint64_t features_ = 0;
    std::vector<uint16_t> started_; // queues
    Watch watch_;
};

} // namespace hrun::vhost_user
