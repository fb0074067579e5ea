// SPDX-License-Identifier: Apache-2.0
// The one thing a kernel without ACPI needs of a PC's keyboard controller: its reset line (`reboot=k`).
#pragma once

#include <functional>

#include "devices/platform/bus.h"

namespace hrun::platform {

class I8042 : public BusDevice {
  public:
    static constexpr uint64_t kPort = 0x60; // data; command and status at 0x64
    static constexpr uint64_t kPorts = 5;

    // `reset` is called on the vCPU thread that pulls the line.
    explicit I8042(std::function<void()> reset) : reset_(std::move(reset)) {}

    void read(uint64_t offset, std::span<std::byte> data) override;
    void write(uint64_t offset, std::span<const std::byte> data) override;

  private:
    std::function<void()> reset_;
};

} // namespace hrun::platform
