// SPDX-License-Identifier: Apache-2.0
// The entropy device (virtio 1.2, 5.4): one queue of buffers to fill with the host's random numbers.
#pragma once

#include <optional>

#include "base/event_loop.h"
#include "devices/virtio/device.h"

namespace hrun::virtio {

class RngDevice : public Device {
  public:
    static constexpr uint16_t kQueueSize = 64;
    // Most bytes for one request; a longer buffer is filled so far, as 5.4.6.1 allows.
    static constexpr uint32_t kMaxBytes = 4096;

    // `loop` outlives the device.
    explicit RngDevice(EventLoop& loop) : loop_(loop) {}

    DeviceId device_id() const override { return kEntropy; }
    uint64_t device_features() const override;
    std::span<const uint16_t> queue_max_sizes() const override;
    void read_config(uint32_t offset, std::span<std::byte> out) const override;
    void activate(const Activation& activation) override;
    void deactivate() override;
    void queue_notify(uint16_t queue) override;

  private:
    void serve();

    EventLoop& loop_;
    std::optional<Activation> active_;
    DescriptorChain chain_;
    Timer turn_;
};

} // namespace hrun::virtio
