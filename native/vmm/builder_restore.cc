// SPDX-License-Identifier: Apache-2.0
// From a snapshot to a machine that is ready to go on: the same recipe as build(), with saved state instead of a kernel. The file is
// hostile: each part checks what is its own, KVM what is the processor's.
#include <algorithm>
#include <cstring>

#include "boot/x86_64/layout.h"
#include "vmm/builder.h"

namespace hrun::vmm {

namespace {

// A TSC that is so much faster or slower is no other: hosts measure theirs at each boot. In millionths.
constexpr uint64_t kTscTolerance = 250;

bool same(const CpuidTable& a, const CpuidTable& b) {
    return a.size() == b.size() && memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
}

const SlotDevice* find(const std::vector<SlotDevice>& devices, uint32_t slot) {
    const auto found = std::find_if(devices.begin(), devices.end(),
                                    [slot](const SlotDevice& device) { return device.slot == slot; });
    return found == devices.end() ? nullptr : &*found;
}

// Those that were empty and still are.
std::vector<uint32_t> empty_slots(const MachineShape& shape, const std::vector<SlotDevice>& devices) {
    std::vector<uint32_t> slots;
    for (const MachineShape::SlotType& saved : shape.devices)
        if (saved.device_id == MachineShape::kEmptySlot && !find(devices, saved.slot))
            slots.push_back(saved.slot);
    return slots;
}

} // namespace

Result<std::unique_ptr<Machine>> Builder::restore(const SnapshotFile& snapshot,
                                                  std::vector<SlotDevice> devices) {
    Result<MachineShape> shape = check_snapshot(snapshot, devices);
    if (!shape)
        return shape.error();
    const Config config{.vcpus = shape->vcpus,
                        .memory = shape->memory,
                        .pit = shape->pit,
                        .spare_slots = empty_slots(*shape, devices),
                        .apic_tick_ns = shape->apic_tick_ns};
    HRUN_TRY(create_vm());
    step_done_("KVM_CREATE_VM");
    HRUN_TRY(use_memory(restore_machine_memory(machine_->vm_, snapshot)));
    HRUN_TRY(create_transports(config, std::move(devices)));
    step_done_("memory");
    HRUN_TRY(create_interrupt_controllers(config));
    step_done_("interrupt controllers");
    HRUN_TRY(create_platform());
    HRUN_TRY(machine_->slots_->connect());
    step_done_("devices");
    HRUN_TRY(create_vcpus(config));
    step_done_("vCPUs");
    HRUN_TRY(restore_vcpus(snapshot, shape->tsc_khz));
    HRUN_TRY(restore_platform(snapshot));
    HRUN_TRY(restore_devices(snapshot, *shape));
    step_done_("state");
    machine_->shape_ = std::move(*shape);
    return std::move(machine_);
}

// What the snapshot is bound to.
Result<MachineShape> Builder::check_snapshot(const SnapshotFile& snapshot,
                                             const std::vector<SlotDevice>& devices) const {
    Result<ByteReader> in = snapshot.section(SectionKind::kMachine, 0);
    if (!in)
        return in.error();
    Result<MachineShape> shape = MachineShape::read(*in);
    if (!shape)
        return shape.error();
    if (shape->memory != snapshot.memory_bytes())
        return snapshot.unusable(EBADMSG, "is corrupted: its memory has another size");
    HRUN_TRY(check({.vcpus = shape->vcpus, .memory = shape->memory}, devices));
    if (!same(shape->cpuid, cpuid_of_vcpu(cpuid_, 0, shape->vcpus)))
        return snapshot.unusable(ENOTSUP, "is of a processor with other features");
    uint32_t seen = 0;
    for (const MachineShape::SlotType& saved : shape->devices) {
        if (saved.slot >= boot::kVirtioMmioSlots || (seen & 1u << saved.slot))
            return snapshot.unusable(EBADMSG, "is corrupted: it has two devices in one slot");
        seen |= 1u << saved.slot;
        if (saved.device_id == MachineShape::kEmptySlot)
            continue;
        const SlotDevice* device = find(devices, saved.slot);
        if (!device || device->device->device_id() != saved.device_id)
            return snapshot.unusable(EINVAL, "has a device of type " + std::to_string(saved.device_id) +
                                                 " in slot " + std::to_string(saved.slot));
    }
    return shape;
}

Result<void> Builder::restore_vcpus(const SnapshotFile& snapshot, uint32_t tsc_khz) {
    Result<kvm::VcpuParts> parts = system_.vcpu_parts();
    if (!parts)
        return parts.error();
    for (uint32_t id = 0; id < machine_->vcpus_.size(); ++id) {
        Result<ByteReader> in = snapshot.section(SectionKind::kVcpu, id);
        if (!in)
            return in.error();
        Result<kvm::VcpuState> state = kvm::VcpuState::read(*in, *parts);
        if (!state)
            return state.error();
        kvm::Vcpu& vcpu = machine_->vcpus_[id]->vcpu();
        HRUN_TRY(match_tsc(vcpu, tsc_khz, snapshot));
        HRUN_TRY(vcpu.restore(*state));
        vcpu.notify_paused();
    }
    return {};
}

// Before the TSC itself is set.
Result<void> Builder::match_tsc(kvm::Vcpu& vcpu, uint32_t khz, const SnapshotFile& snapshot) const {
    Result<uint32_t> here = vcpu.tsc_khz();
    if (!here)
        return here.error();
    const uint64_t difference = *here > khz ? *here - khz : khz - *here;
    if (difference * 1'000'000 <= uint64_t{khz} * kTscTolerance || vcpu.set_tsc_khz(khz))
        return {};
    return snapshot.unusable(ENOTSUP, "is of a processor whose TSC runs at " + std::to_string(khz) +
                                          " kHz, not " + std::to_string(*here));
}

// The clock is set when the machine goes on.
Result<void> Builder::restore_platform(const SnapshotFile& snapshot) {
    Machine& m = *machine_;
    Result<ByteReader> vm = snapshot.section(SectionKind::kVm, 0);
    Result<ByteReader> serial = snapshot.section(SectionKind::kSerial, 0);
    if (!vm || !serial)
        return vm ? serial.error() : vm.error();
    Result<kvm::VmState> state = kvm::VmState::read(*vm);
    if (!state)
        return state.error();
    HRUN_TRY(m.vm_.restore(*state));
    HRUN_TRY(m.serial_->load(*serial));
    m.clock_.clock = state->clock;
    m.paused_ = true;
    return {};
}

// Devices that the snapshot does not have are as after a reset.
Result<void> Builder::restore_devices(const SnapshotFile& snapshot, const MachineShape& shape) {
    for (const MachineShape::SlotType& saved : shape.devices) {
        if (saved.device_id == MachineShape::kEmptySlot)
            continue;
        Result<ByteReader> in = snapshot.section(SectionKind::kDevice, saved.slot);
        if (!in)
            return in.error();
        HRUN_TRY(machine_->slots_->restore(saved.slot, *in));
    }
    return {};
}

} // namespace hrun::vmm
