// SPDX-License-Identifier: Apache-2.0
// KVM's structures are written as they are: they are an ABI of x86 that Linux never changes.
#include "kvm/vcpu_state.h"

#include <algorithm>

namespace hrun::kvm {

void VcpuState::put(ByteWriter& out) const {
    out.put_struct(run_state);
    out.put_struct(registers);
    out.put_struct(special);
    out.put_block(xsave);
    out.put_struct(extended_control);
    out.put_struct(debug);
    out.put_struct(local_apic);
    out.put_struct(events);
    out.put(static_cast<uint32_t>(msrs.size()));
    for (const kvm_msr_entry& msr : msrs) {
        out.put<uint32_t>(msr.index);
        out.put<uint64_t>(msr.data);
    }
}

namespace {

Result<std::vector<kvm_msr_entry>> read_msrs(ByteReader& in, const VcpuParts& parts) {
    const auto count = in.take<uint32_t>();
    if (count > parts.msrs.size())
        return Error{EBADMSG, "restore a vCPU with " + std::to_string(count) + " MSRs"};
    std::vector<kvm_msr_entry> msrs(count);
    for (kvm_msr_entry& msr : msrs) {
        msr.index = in.take<uint32_t>();
        msr.data = in.take<uint64_t>();
        if (in.ok() && std::find(parts.msrs.begin(), parts.msrs.end(), msr.index) == parts.msrs.end())
            return Error{EBADMSG, "restore MSR " + std::to_string(msr.index) + ", which this host has not"};
    }
    return msrs;
}

} // namespace

Result<VcpuState> VcpuState::read(ByteReader& in, const VcpuParts& parts) {
    VcpuState state;
    state.run_state = in.take_struct<kvm_mp_state>();
    state.registers = in.take_struct<kvm_regs>();
    state.special = in.take_struct<kvm_sregs2>();
    const auto xsave = in.take_block();
    if (in.ok() && xsave.size() != parts.xsave_bytes) // KVM reads so many bytes, whatever there are
        return Error{EBADMSG,
                     "restore a vCPU with an XSAVE area of " + std::to_string(xsave.size()) + " bytes"};
    state.xsave.assign(xsave.begin(), xsave.end());
    state.extended_control = in.take_struct<kvm_xcrs>();
    state.debug = in.take_struct<kvm_debugregs>();
    state.local_apic = in.take_struct<kvm_lapic_state>();
    state.events = in.take_struct<kvm_vcpu_events>();
    auto msrs = read_msrs(in, parts);
    if (!msrs)
        return msrs.error();
    state.msrs = std::move(*msrs);
    if (!in.finished())
        return Error{EBADMSG, "restore a vCPU whose state has another length"};
    return state;
}

} // namespace hrun::kvm
