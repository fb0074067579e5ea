// SPDX-License-Identifier: Apache-2.0
// A vCPU's state out of KVM and back. The order matters, for one call changes what another sees (Linux,
// arch/x86/kvm/x86.c and lapic.c).
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>

#include "kvm/array_buffer.h"
#include "kvm/vcpu.h"

namespace hrun::kvm {

namespace {

constexpr uint32_t kTsc = 0x10;
constexpr size_t kLvtTimer = 0x320; // Intel SDM volume 3, 11.5.1
constexpr uint32_t kTimerModeMask = 3u << 17;
constexpr uint32_t kTimerTscDeadline = 2u << 17;

template <class T> Result<void> call(const Fd& fd, unsigned long request, T* value, const char* name) {
    if (ioctl(fd.get(), request, value) < 0)
        return Error::last(name);
    return {};
}

uint64_t* find(std::vector<kvm_msr_entry>& msrs, uint32_t index) {
    for (kvm_msr_entry& msr : msrs)
        if (msr.index == index)
            return reinterpret_cast<uint64_t*>(&msr.data);
    return nullptr;
}

// A deadline that has passed may read as zero before its interrupt is in the local APIC, and zero disarms the timer. Whether it was
// armed cannot be told, so it is set to a time in the past: an interrupt too many is what every kernel bears.
void keep_expired_deadline(VcpuState& state) {
    uint32_t timer;
    memcpy(&timer, state.local_apic.regs + kLvtTimer, sizeof timer);
    uint64_t* deadline = find(state.msrs, kTscDeadline);
    const uint64_t* tsc = find(state.msrs, kTsc);
    if ((timer & kTimerModeMask) == kTimerTscDeadline && deadline && tsc && *deadline == 0)
        *deadline = *tsc;
}

} // namespace

// KVM_GET_MP_STATE first: it takes INIT and SIPI that are under way, and so changes all the rest. KVM_GET_LAPIC brings the APIC up
// to date. The events last, for reading the others may move some.
Result<VcpuState> Vcpu::save(const VcpuParts& parts) const {
    VcpuState state;
    HRUN_TRY(call(fd_, KVM_GET_MP_STATE, &state.run_state, "KVM_GET_MP_STATE"));
    HRUN_TRY(call(fd_, KVM_GET_REGS, &state.registers, "KVM_GET_REGS"));
    HRUN_TRY(call(fd_, KVM_GET_SREGS2, &state.special, "KVM_GET_SREGS2"));
    state.xsave.resize(parts.xsave_bytes);
    const unsigned long get_xsave = parts.xsave_bytes > sizeof(PlainXsave) ? kGetXsave2 : kGetXsave;
    HRUN_TRY(call(fd_, get_xsave, state.xsave.data(), "KVM_GET_XSAVE"));
    HRUN_TRY(call(fd_, KVM_GET_XCRS, &state.extended_control, "KVM_GET_XCRS"));
    HRUN_TRY(call(fd_, KVM_GET_DEBUGREGS, &state.debug, "KVM_GET_DEBUGREGS"));
    HRUN_TRY(call(fd_, KVM_GET_LAPIC, &state.local_apic, "KVM_GET_LAPIC"));
    auto msrs = save_msrs(parts.msrs);
    if (!msrs)
        return msrs.error();
    state.msrs = std::move(*msrs);
    keep_expired_deadline(state);
    HRUN_TRY(call(fd_, KVM_GET_VCPU_EVENTS, &state.events, "KVM_GET_VCPU_EVENTS"));
    return state;
}

// KVM stops at an MSR that this vCPU has not, by its CPUID: there is no state in that.
Result<std::vector<kvm_msr_entry>> Vcpu::save_msrs(std::span<const uint32_t> indices) const {
    std::vector<kvm_msr_entry> saved;
    while (!indices.empty()) {
        auto entries = first_msrs(indices);
        if (!entries)
            return entries;
        saved.insert(saved.end(), entries->begin(), entries->end());
        indices = indices.subspan(std::min(indices.size(), entries->size() + 1));
    }
    return saved;
}

// The local APIC after the special registers, which hold its base and mode; before the MSRs, for a TSC deadline is dropped unless the
// timer is in that mode already. The events last: setting registers clears pending exceptions.
Result<void> Vcpu::restore(const VcpuState& state) {
    HRUN_TRY(call(fd_, KVM_SET_MP_STATE, &state.run_state, "KVM_SET_MP_STATE"));
    HRUN_TRY(call(fd_, KVM_SET_REGS, &state.registers, "KVM_SET_REGS"));
    HRUN_TRY(call(fd_, KVM_SET_SREGS2, &state.special, "KVM_SET_SREGS2"));
    HRUN_TRY(call(fd_, kSetXsave, state.xsave.data(), "KVM_SET_XSAVE"));
    if (state.extended_control.nr_xcrs > 0) // none without XSAVE
        HRUN_TRY(call(fd_, KVM_SET_XCRS, &state.extended_control, "KVM_SET_XCRS"));
    HRUN_TRY(call(fd_, KVM_SET_DEBUGREGS, &state.debug, "KVM_SET_DEBUGREGS"));
    HRUN_TRY(call(fd_, KVM_SET_LAPIC, &state.local_apic, "KVM_SET_LAPIC"));
    HRUN_TRY(restore_msrs(state.msrs));
    return call(fd_, KVM_SET_VCPU_EVENTS, &state.events, "KVM_SET_VCPU_EVENTS");
}

// One that KVM does not let be set is fine if it has the value already: some have but one.
Result<void> Vcpu::restore_msrs(std::span<const kvm_msr_entry> entries) {
    while (!entries.empty()) {
        ArrayBuffer<kvm_msr_entry> buffer(entries.size());
        std::copy(entries.begin(), entries.end(), buffer.entries());
        const int count = ioctl(fd_.get(), kSetMsrs, buffer.data());
        if (count < 0)
            return Error::last("KVM_SET_MSRS");
        if (static_cast<size_t>(count) == entries.size())
            return {};
        const kvm_msr_entry& refused = entries[static_cast<size_t>(count)];
        const uint32_t index = refused.index;
        auto now = msrs({&index, 1});
        if (!now || now->front().data != refused.data)
            return Error{ENOTSUP, "set MSR " + std::to_string(index) + " as the snapshot has it"};
        entries = entries.subspan(static_cast<size_t>(count) + 1);
    }
    return {};
}

Result<void> Vcpu::set_tsc_khz(uint32_t khz) {
    if (ioctl(fd_.get(), KVM_SET_TSC_KHZ, static_cast<unsigned long>(khz)) < 0)
        return Error::last("KVM_SET_TSC_KHZ");
    return {};
}

} // namespace hrun::kvm
