// SPDX-License-Identifier: Apache-2.0
// The virtio-mmio slots of one machine and the devices in them, which it owns. It belongs to the device thread.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "transport/empty_slot.h"
#include "transport/mmio.h"
#include "vmm/config.h"
#include "vmm/device_thread.h"
#include "vmm/machine_memory.h"
#include "vmm/machine_shape.h"
#include "vmm/slot_wiring.h"
#include "vmm/snapshot_format.h"

namespace hrun::vmm {

class DeviceSlots {
  public:
    // All outlive it; the bus is not used any more when it goes.
    DeviceSlots(kvm::Vm& vm, const MachineMemory& memory, DeviceThread& thread, EventLoop& loop,
                platform::Bus& bus)
        : vm_(vm), memory_(memory), thread_(thread), loop_(loop), bus_(bus) {}

    // Before the guest runs: a slot that stays empty for now; one that has a device, which has its memory slot now and the rest
    // with connect(), after the interrupt controllers.
    void reserve(uint32_t slot);
    Result<void> add(SlotDevice device);
    Result<void> connect();

    // While no vCPU runs: a device for a slot that is there and empty, and an end to it. EINVAL, EEXIST.
    Result<void> plug(SlotDevice device);
    void unplug(uint32_t slot);

    // Of all slots, with a device or without.
    std::vector<uint32_t> numbers() const;

    // For snapshots, while no vCPU runs: what is in each slot, and the sections of those that have a device.
    std::vector<MachineShape::SlotType> types() const;
    Result<void> save(std::vector<Section>& sections);
    // Into a device that no driver has touched; the slot has one.
    Result<void> restore(uint32_t slot, ByteReader& in) { return slots_.at(slot).transport->restore(in); }

  private:
    // In the order of their needs.
    struct Slot {
        std::unique_ptr<virtio::Device> device;
        std::unique_ptr<transport::MmioTransport> transport;
    };
    Result<Slot> fill(SlotDevice device);
    void exchange(uint32_t number, platform::BusDevice& by); // what answers on the bus
    SlotWiring wiring(uint32_t number, const Slot& slot) const;
    uint32_t memory_slot(uint32_t number) const;

    kvm::Vm& vm_;
    const MachineMemory& memory_;
    DeviceThread& thread_;
    EventLoop& loop_;
    platform::Bus& bus_;
    transport::EmptySlot empty_;
    EventFd acknowledged_;
    std::map<uint32_t, Slot> slots_; // without a device: empty
};

} // namespace hrun::vmm
