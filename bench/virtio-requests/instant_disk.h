// SPDX-License-Identifier: Apache-2.0
// A disk that answers each request at once and does nothing: what it costs is what any device costs on the machine — the
// notification's exit, a thread woken, the interrupt.
#pragma once

#include <optional>

#include "devices/virtio/device.h"

namespace hrun::bench {

class InstantDisk : public virtio::Device {
  public:
    virtio::DeviceId device_id() const override { return virtio::kBlock; }
    uint64_t device_features() const override { return virtio::kFeatureVersion1 | virtio::kFeatureEventIdx; }
    std::span<const uint16_t> queue_max_sizes() const override;
    void read_config(uint32_t offset, std::span<std::byte> out) const override;
    void activate(const virtio::Activation& activation) override { active_ = activation; }
    void deactivate() override { active_.reset(); }
    void queue_notify(uint16_t queue) override;

  private:
    std::optional<virtio::Activation> active_;
    virtio::DescriptorChain chain_;
};

} // namespace hrun::bench
