// SPDX-License-Identifier: Apache-2.0
// One vCPU's descriptor and its run page. After creation it belongs to the thread that runs it.
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "kvm/vcpu_state.h"

namespace hrun::kvm {

class Vcpu {
  public:
    static Result<Vcpu> map(Fd fd, size_t run_size);
    Vcpu(Vcpu&& other) noexcept
        : fd_(std::move(other.fd_)), run_(std::exchange(other.run_, nullptr)), run_size_(other.run_size_) {}
    Vcpu& operator=(Vcpu&&) = delete;
    ~Vcpu();

    // Lets the guest run until something needs this process; what, is in state(). EINTR: a signal came, maybe
    // before the guest ran at all. An MMIO or port read is answered by filling state() before the next run().
    Result<void> run();
    // As run(), but returns EINTR as soon as a pending MMIO or port access is completed, without running the guest:
    // registers are then whole.
    Result<void> complete_access();
    kvm_run& state() { return *run_; }
    // The bytes of a port access, `count` items of `size` bytes (KVM_EXIT_IO).
    std::span<std::byte> port_data();

    // Signals in `unblocked` interrupt run() though they are blocked in the thread: they stay pending and no handler
    // is called, so no process-wide signal handler is needed.
    Result<void> interrupt_on(int signal);

    Result<kvm_regs> registers() const;
    Result<void> set_registers(const kvm_regs& registers);
    Result<kvm_sregs> special_registers() const;
    Result<void> set_special_registers(const kvm_sregs& registers);
    Result<kvm_fpu> fpu() const;
    Result<void> set_fpu(const kvm_fpu& fpu);
    Result<kvm_lapic_state> local_apic() const;
    Result<void> set_local_apic(const kvm_lapic_state& apic);
    Result<kvm_mp_state> run_state() const;
    // The guest takes exception `vector`, one without an error code, when it runs next.
    Result<void> inject_exception(uint8_t vector);
    // Values of `indices`, in their order. Fails at the first that KVM does not have.
    Result<std::vector<kvm_msr_entry>> msrs(std::span<const uint32_t> indices) const;
    Result<void> set_msrs(std::span<const kvm_msr_entry> entries);
    Result<void> set_cpuid(std::span<const kvm_cpuid_entry2> entries);
    // The TSC's rate in kHz.
    Result<uint32_t> tsc_khz() const;
    // EINVAL where the processor cannot scale it.
    Result<void> set_tsc_khz(uint32_t khz);
    // Tells kvmclock that the guest was stopped, so that its watchdogs do not bark.
    void notify_paused();

    // All that there is of it. While no vCPU of the machine runs: some of it is other vCPUs' to change.
    Result<VcpuState> save(const VcpuParts& parts) const;
    // Into a vCPU that has not run and has the CPUID of the one that was saved. ENOTSUP names an MSR that cannot be had here.
    Result<void> restore(const VcpuState& state);

  private:
    Vcpu(Fd fd, kvm_run* run, size_t run_size) : fd_(std::move(fd)), run_(run), run_size_(run_size) {}
    // Those before the first that this vCPU has not.
    Result<std::vector<kvm_msr_entry>> first_msrs(std::span<const uint32_t> indices) const;
    Result<std::vector<kvm_msr_entry>> save_msrs(std::span<const uint32_t> indices) const;
    Result<void> restore_msrs(std::span<const kvm_msr_entry> entries);

    Fd fd_;
    kvm_run* run_;
    size_t run_size_;
};

} // namespace hrun::kvm
