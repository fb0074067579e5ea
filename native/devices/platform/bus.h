// SPDX-License-Identifier: Apache-2.0
// Ports or MMIO addresses, and who answers at them. vCPU threads call read and write, several at once; a device on
// the bus locks what it must.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hrun::platform {

class BusDevice {
  public:
    virtual ~BusDevice() = default;
    // `offset` is counted from where the device stands; size and alignment are the guest's choice.
    virtual void read(uint64_t offset, std::span<std::byte> data) = 0;
    virtual void write(uint64_t offset, std::span<const std::byte> data) = 0;
};

class Bus {
  public:
    // The device answers at [address, address + size) from now on, until it is detached. Only while no vCPU runs. Ranges
    // must not overlap.
    void attach(uint64_t address, uint64_t size, BusDevice& device);
    void detach(uint64_t address);

    // An access where nobody answers, or that reaches past a device's end, reads as all ones and writes nothing.
    void read(uint64_t address, std::span<std::byte> data) const;
    void write(uint64_t address, std::span<const std::byte> data) const;

  private:
    struct Entry {
        uint64_t address;
        uint64_t size;
        BusDevice* device;
    };
    const Entry* find(uint64_t address, uint64_t size) const;

    std::vector<Entry> entries_; // sorted by address
};

} // namespace hrun::platform
