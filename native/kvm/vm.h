// SPDX-License-Identifier: Apache-2.0
// One VM's descriptor: memory slots, interrupt controllers, event descriptors, clock.
//
// Order: memory slots before the interrupt controllers. Registering the PIT and IOAPIC on KVM's I/O bus makes each
// later slot change wait for an SRCU grace period (7.5 ms instead of 0.5 ms from creation to first exit).
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "kvm/vcpu.h"
#include "kvm/vm_state.h"

namespace hrun::kvm {

class Vm {
  public:
    enum class Slot : uint32_t {
        kPlain = 0,
        kLogDirty = KVM_MEM_LOG_DIRTY_PAGES,
        kReadOnly = KVM_MEM_READONLY, // the guest's writes are MMIO
    };

    // The three pages of a real-mode TSS and the page of an identity map that VMX needs; both must lie outside RAM.
    // To be set before the first vCPU.
    Result<void> set_tss_address(uint32_t address);
    Result<void> set_identity_map_address(uint64_t address);
    // Guest-physical [address, address + size) becomes `host`, which must stay mapped as long as the slot. Calling it
    // again with the same `slot` changes only its flags.
    Result<void> set_memory_slot(uint32_t slot, uint64_t address, std::byte* host, uint64_t size, Slot flags);
    Result<void> remove_memory_slot(uint32_t slot);

    // PIC, IOAPIC and local APICs in the kernel; then a PIT, with port 0x61 answered too.
    Result<void> create_irqchip();
    Result<void> create_pit();
    // How long a tick of the local APICs' timers lasts. After the interrupt controllers, before the first vCPU; Linux 6.10.
    Result<void> set_apic_tick(uint64_t nanoseconds);

    // A write to MMIO `address`: of these 4 bytes, or of any value and size. The latter KVM finds on VMX and SVM by its address
    // alone, before it decodes the instruction, unless the address lies in a memory slot.
    struct Write {
        uint64_t address;
        std::optional<uint32_t> value = std::nullopt;
    };
    // The write signals `event` and never leaves the kernel.
    Result<void> add_ioeventfd(Write write, int event);
    Result<void> remove_ioeventfd(Write write, int event);
    // A signal on `event` is an edge on interrupt line `gsi`.
    Result<void> add_irqfd(uint32_t gsi, int event);
    Result<void> remove_irqfd(uint32_t gsi, int event);

    // Pages of the slot written since the last call, one bit each, lowest address first; clears the log.
    Result<std::vector<uint64_t>> take_dirty_log(uint32_t slot, uint64_t size) const;

    // kvmclock's time, for pause and resume.
    Result<kvm_clock_data> clock() const;
    Result<void> set_clock(const kvm_clock_data& clock);

    // Interrupt controllers, and the PIT if there is one. While no vCPU runs.
    Result<VmState> save(bool pit) const;
    // After the vCPUs' own state: the IOAPIC passes pending interrupts on to the local APICs. The clock is not set.
    Result<void> restore(const VmState& state);

    // `id` is the vCPU's APIC id.
    Result<Vcpu> create_vcpu(uint32_t id) const;

  private:
    friend class System;
    Result<void> change_ioeventfd(Write write, int event, uint32_t flags);
    Result<void> change_irqfd(uint32_t gsi, int event, uint32_t flags);
    Vm(Fd fd, size_t run_size) : fd_(std::move(fd)), run_size_(run_size) {}

    Fd fd_;
    size_t run_size_;
};

} // namespace hrun::kvm
