// SPDX-License-Identifier: Apache-2.0
#include "devices/platform/bus.h"

#include <algorithm>

namespace hrun::platform {

void Bus::attach(uint64_t address, uint64_t size, BusDevice& device) {
    const auto next = std::upper_bound(entries_.begin(), entries_.end(), address,
                                       [](uint64_t at, const Entry& entry) { return at < entry.address; });
    entries_.insert(next, {address, size, &device});
}

void Bus::detach(uint64_t address) {
    std::erase_if(entries_, [address](const Entry& entry) { return entry.address == address; });
}

void Bus::read(uint64_t address, std::span<std::byte> data) const {
    if (const Entry* entry = find(address, data.size()))
        entry->device->read(address - entry->address, data);
    else
        std::fill(data.begin(), data.end(), std::byte{0xff});
}

void Bus::write(uint64_t address, std::span<const std::byte> data) const {
    if (const Entry* entry = find(address, data.size()))
        entry->device->write(address - entry->address, data);
}

const Bus::Entry* Bus::find(uint64_t address, uint64_t size) const {
    const auto next = std::upper_bound(entries_.begin(), entries_.end(), address,
                                       [](uint64_t at, const Entry& entry) { return at < entry.address; });
    if (next == entries_.begin())
        return nullptr;
    const Entry& entry = *std::prev(next);
    const uint64_t offset = address - entry.address;
    return offset < entry.size && size <= entry.size - offset ? &entry : nullptr;
}

} // namespace hrun::platform
