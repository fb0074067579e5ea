// SPDX-License-Identifier: Apache-2.0
#include "vmm/machine_shape.h"

#include "boot/x86_64/layout.h"

namespace hrun::vmm {

namespace {
constexpr uint32_t kMostCpuidEntries = 256; // KVM_MAX_CPUID_ENTRIES
}

void MachineShape::put(ByteWriter& out) const {
    out.put<uint32_t>(vcpus);
    out.put<uint64_t>(memory);
    out.put<uint8_t>(pit);
    out.put<uint32_t>(apic_tick_ns);
    out.put<uint32_t>(tsc_khz);
    out.put<uint32_t>(static_cast<uint32_t>(devices.size()));
    for (const SlotType& device : devices) {
        out.put<uint32_t>(device.slot);
        out.put<uint32_t>(device.device_id);
    }
    out.put<uint32_t>(static_cast<uint32_t>(cpuid.size()));
    for (const kvm_cpuid_entry2& entry : cpuid)
        out.put_struct(entry);
}

Result<MachineShape> MachineShape::read(ByteReader& in) {
    MachineShape shape;
    shape.vcpus = in.take<uint32_t>();
    shape.memory = in.take<uint64_t>();
    shape.pit = in.take<uint8_t>() != 0;
    shape.apic_tick_ns = in.take<uint32_t>();
    shape.tsc_khz = in.take<uint32_t>();
    const auto devices = in.take<uint32_t>();
    for (uint32_t i = 0; i < devices && i < boot::kVirtioMmioSlots; ++i)
        shape.devices.push_back({in.take<uint32_t>(), in.take<uint32_t>()});
    const auto entries = in.take<uint32_t>();
    for (uint32_t i = 0; i < entries && i < kMostCpuidEntries && in.ok(); ++i)
        shape.cpuid.push_back(in.take_struct<kvm_cpuid_entry2>());
    if (!in.finished())
        return Error{EBADMSG, "restore a machine whose description has another length"};
    return shape;
}

} // namespace hrun::vmm
