// SPDX-License-Identifier: Apache-2.0
#include "vmm/device_slots.h"

#include "boot/x86_64/layout.h"

namespace hrun::vmm {

void DeviceSlots::reserve(uint32_t slot) {
    bus_.attach(boot::virtio_address(slot), boot::kVirtioMmioSize, empty_);
    slots_[slot];
}

Result<void> DeviceSlots::add(SlotDevice device) {
    const uint32_t number = device.slot;
    Result<Slot> slot = fill(std::move(device));
    if (!slot)
        return slot.error();
    HRUN_TRY(wiring(number, *slot).show_registers(memory_slot(number)));
    bus_.attach(boot::virtio_address(number), boot::kVirtioMmioSize, *slot->transport);
    slots_[number] = std::move(*slot);
    return {};
}

Result<void> DeviceSlots::connect() {
    Result<EventFd> acknowledged = EventFd::create();
    if (!acknowledged)
        return acknowledged.error();
    acknowledged_ = std::move(*acknowledged);
    for (const auto& [number, slot] : slots_)
        if (slot.device)
            HRUN_TRY(wiring(number, slot).connect());
    return {};
}

Result<void> DeviceSlots::plug(SlotDevice device) {
    const uint32_t number = device.slot;
    const auto entry = slots_.find(number);
    if (entry == slots_.end())
        return Error{EINVAL, "put a device into slot " + std::to_string(number)};
    if (entry->second.device)
        return Error{EEXIST, "put a device into slot " + std::to_string(number)};
    Result<Slot> slot = fill(std::move(device));
    if (!slot)
        return slot.error();
    SlotWiring wires = wiring(number, *slot);
    Result<void> wired = wires.show_registers(memory_slot(number));
    if (wired)
        wired = wires.connect();
    if (!wired) {
        wires.disconnect(memory_slot(number));
        return wired;
    }
    exchange(number, *slot->transport);
    entry->second = std::move(*slot);
    return {};
}

void DeviceSlots::unplug(uint32_t number) {
    const auto entry = slots_.find(number);
    if (entry == slots_.end() || !entry->second.device)
        return;
    wiring(number, entry->second).disconnect(memory_slot(number));
    exchange(number, empty_);
    entry->second.transport.reset(); // it has the device let go of its queues
    entry->second.device.reset();
}

std::vector<uint32_t> DeviceSlots::numbers() const {
    std::vector<uint32_t> numbers;
    for (const auto& [number, slot] : slots_)
        numbers.push_back(number);
    return numbers;
}

std::vector<MachineShape::SlotType> DeviceSlots::types() const {
    std::vector<MachineShape::SlotType> types;
    for (const auto& [number, slot] : slots_)
        types.push_back({number, slot.device ? slot.device->device_id() : MachineShape::kEmptySlot});
    return types;
}

Result<void> DeviceSlots::save(std::vector<Section>& sections) {
    for (const auto& [number, slot] : slots_) {
        if (!slot.device)
            continue;
        ByteWriter out;
        HRUN_TRY(slot.transport->save(out));
        sections.push_back({SectionKind::kDevice, number, out.take()});
    }
    return {};
}

Result<DeviceSlots::Slot> DeviceSlots::fill(SlotDevice device) {
    auto transport = transport::MmioTransport::create(
        *device.device, memory_.guest, loop_,
        [this](const std::function<void()>& function) { thread_.run(function); });
    if (!transport)
        return transport.error();
    return Slot{std::move(device.device), std::move(*transport)};
}

void DeviceSlots::exchange(uint32_t number, platform::BusDevice& by) {
    bus_.detach(boot::virtio_address(number));
    bus_.attach(boot::virtio_address(number), boot::kVirtioMmioSize, by);
}

SlotWiring DeviceSlots::wiring(uint32_t number, const Slot& slot) const {
    return {vm_, number, *slot.device, *slot.transport, acknowledged_};
}

// Those of RAM come first.
uint32_t DeviceSlots::memory_slot(uint32_t number) const {
    return static_cast<uint32_t>(memory_.ranges.size()) + number;
}

} // namespace hrun::vmm
