// SPDX-License-Identifier: Apache-2.0
// From a paused machine to a snapshot: each part puts down its own state, in a section of its own.
#include "vmm/machine.h"

namespace hrun::vmm {

namespace {

Section section(SectionKind kind, uint32_t index, ByteWriter& writer) {
    return {kind, index, writer.take()};
}

} // namespace

// Devices first: what they finish goes into guest memory and raises interrupts, which are in the state of what comes after.
Result<void> Machine::save(const kvm::System& system, const SnapshotTarget& target) {
    if (!paused_ || has_ended())
        return Error{EBUSY, "make a snapshot of a machine that is not paused"};
    std::vector<Section> sections;
    HRUN_TRY(slots_->save(sections));
    HRUN_TRY(save_vcpus(system, sections));
    HRUN_TRY(save_platform(sections));
    return write_snapshot(target, sections, memory_);
}

Result<void> Machine::save_vcpus(const kvm::System& system, std::vector<Section>& sections) {
    Result<kvm::VcpuParts> parts = system.vcpu_parts();
    if (!parts)
        return parts.error();
    for (uint32_t id = 0; id < vcpus_.size(); ++id) {
        Result<kvm::VcpuState> state = vcpus_[id]->vcpu().save(*parts);
        if (!state)
            return state.error();
        ByteWriter out;
        state->put(out);
        sections.push_back(section(SectionKind::kVcpu, id, out));
    }
    return {};
}

Result<void> Machine::save_platform(std::vector<Section>& sections) {
    Result<kvm::VmState> state = vm_.save(shape_.pit);
    if (!state)
        return state.error();
    state->clock = clock_.clock;
    ByteWriter vm, serial, shape;
    state->put(vm);
    serial_->save(serial);
    shape_.devices = slots_->types();
    shape_.put(shape);
    sections.push_back(section(SectionKind::kVm, 0, vm));
    sections.push_back(section(SectionKind::kSerial, 0, serial));
    sections.push_back(section(SectionKind::kMachine, 0, shape));
    return {};
}

} // namespace hrun::vmm
