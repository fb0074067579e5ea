// SPDX-License-Identifier: Apache-2.0
#include "kvm/vcpu.h"

#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "kvm/array_buffer.h"

namespace hrun::kvm {

namespace {

template <class T> Result<T> get(const Fd& fd, unsigned long request, const char* name) {
    T value{};
    if (ioctl(fd.get(), request, &value) < 0)
        return Error::last(name);
    return value;
}

template <class T> Result<void> set(const Fd& fd, unsigned long request, const T* value, const char* name) {
    if (ioctl(fd.get(), request, value) < 0)
        return Error::last(name);
    return {};
}

} // namespace

Result<Vcpu> Vcpu::map(Fd fd, size_t run_size) {
    void* run = mmap(nullptr, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (run == MAP_FAILED)
        return Error::last("map vCPU state");
    return Vcpu(std::move(fd), static_cast<kvm_run*>(run), run_size);
}

Vcpu::~Vcpu() {
    if (run_)
        munmap(run_, run_size_);
}

Result<void> Vcpu::run() {
    if (ioctl(fd_.get(), KVM_RUN, 0) < 0)
        return Error{errno, "KVM_RUN"};
    return {};
}

Result<void> Vcpu::complete_access() {
    run_->immediate_exit = 1;
    Result<void> result = run();
    run_->immediate_exit = 0;
    return result;
}

std::span<std::byte> Vcpu::port_data() {
    // SAFETY: data_offset is the kernel's and lies inside the mapped run area.
    return {reinterpret_cast<std::byte*>(run_) + run_->io.data_offset,
            size_t{run_->io.size} * run_->io.count};
}

Result<void> Vcpu::interrupt_on(int signal) {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    sigdelset(&mask, signal);
    SignalMask argument;
    memcpy(argument.signals, &mask, sizeof argument.signals);
    return set(fd_, kSetSignalMask, &argument, "KVM_SET_SIGNAL_MASK");
}

Result<kvm_regs> Vcpu::registers() const {
    return get<kvm_regs>(fd_, KVM_GET_REGS, "KVM_GET_REGS");
}
Result<void> Vcpu::set_registers(const kvm_regs& registers) {
    return set(fd_, KVM_SET_REGS, &registers, "KVM_SET_REGS");
}
Result<kvm_sregs> Vcpu::special_registers() const {
    return get<kvm_sregs>(fd_, KVM_GET_SREGS, "KVM_GET_SREGS");
}
Result<void> Vcpu::set_special_registers(const kvm_sregs& registers) {
    return set(fd_, KVM_SET_SREGS, &registers, "KVM_SET_SREGS");
}
Result<kvm_fpu> Vcpu::fpu() const {
    return get<kvm_fpu>(fd_, KVM_GET_FPU, "KVM_GET_FPU");
}
Result<void> Vcpu::set_fpu(const kvm_fpu& fpu) {
    return set(fd_, KVM_SET_FPU, &fpu, "KVM_SET_FPU");
}
Result<kvm_lapic_state> Vcpu::local_apic() const {
    return get<kvm_lapic_state>(fd_, KVM_GET_LAPIC, "KVM_GET_LAPIC");
}
Result<void> Vcpu::set_local_apic(const kvm_lapic_state& apic) {
    return set(fd_, KVM_SET_LAPIC, &apic, "KVM_SET_LAPIC");
}
Result<kvm_mp_state> Vcpu::run_state() const {
    return get<kvm_mp_state>(fd_, KVM_GET_MP_STATE, "KVM_GET_MP_STATE");
}

Result<void> Vcpu::inject_exception(uint8_t vector) {
    auto events = get<kvm_vcpu_events>(fd_, KVM_GET_VCPU_EVENTS, "KVM_GET_VCPU_EVENTS");
    if (!events)
        return events.error();
    events->exception.injected = 1;
    events->exception.nr = vector;
    events->exception.has_error_code = 0;
    return set(fd_, KVM_SET_VCPU_EVENTS, &*events, "KVM_SET_VCPU_EVENTS");
}

Result<std::vector<kvm_msr_entry>> Vcpu::msrs(std::span<const uint32_t> indices) const {
    auto entries = first_msrs(indices);
    if (entries && entries->size() != indices.size())
        return Error{ENXIO, "KVM_GET_MSRS of MSR " + std::to_string(indices[entries->size()])};
    return entries;
}

Result<std::vector<kvm_msr_entry>> Vcpu::first_msrs(std::span<const uint32_t> indices) const {
    ArrayBuffer<kvm_msr_entry> buffer(indices.size());
    for (size_t i = 0; i < indices.size(); ++i)
        buffer.entries()[i].index = indices[i];
    const int count = ioctl(fd_.get(), kGetMsrs, buffer.data());
    if (count < 0)
        return Error::last("KVM_GET_MSRS");
    return std::vector<kvm_msr_entry>(buffer.entries(), buffer.entries() + count);
}

Result<void> Vcpu::set_msrs(std::span<const kvm_msr_entry> entries) {
    ArrayBuffer<kvm_msr_entry> buffer(entries.size());
    std::copy(entries.begin(), entries.end(), buffer.entries());
    const int count = ioctl(fd_.get(), kSetMsrs, buffer.data());
    if (count < 0)
        return Error::last("KVM_SET_MSRS");
    if (static_cast<size_t>(count) != entries.size())
        return Error{ENXIO,
                     "KVM_SET_MSRS of MSR " + std::to_string(entries[static_cast<size_t>(count)].index)};
    return {};
}

Result<void> Vcpu::set_cpuid(std::span<const kvm_cpuid_entry2> entries) {
    ArrayBuffer<kvm_cpuid_entry2> buffer(entries.size());
    std::copy(entries.begin(), entries.end(), buffer.entries());
    return set(fd_, kSetCpuid2, buffer.data(), "KVM_SET_CPUID2");
}

Result<uint32_t> Vcpu::tsc_khz() const {
    const int khz = ioctl(fd_.get(), KVM_GET_TSC_KHZ, 0);
    if (khz < 0)
        return Error::last("KVM_GET_TSC_KHZ");
    return static_cast<uint32_t>(khz);
}

void Vcpu::notify_paused() {
    ioctl(fd_.get(), KVM_KVMCLOCK_CTRL, 0); // EINVAL when the guest uses no kvmclock: nothing to tell then
}

} // namespace hrun::kvm
