// SPDX-License-Identifier: Apache-2.0
// A virtio-mmio slot with no device in it: DeviceID is 0, which tells a driver to leave it alone (virtio 1.2, 4.2.3.1.1).
#pragma once

#include "devices/platform/bus.h"

namespace hrun::transport {

class EmptySlot : public platform::BusDevice {
  public:
    void read(uint64_t offset, std::span<std::byte> data) override;
    void write(uint64_t, std::span<const std::byte>) override {}
};

} // namespace hrun::transport
