// SPDX-License-Identifier: Apache-2.0
// The state in which a vCPU meets the kernel, and the GDT that state refers to. Plain data: KVM's structures, no KVM.
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "memory/guest_memory.h"

namespace hrun::boot {

// Writes the GDT: null, null, __BOOT_CS (0x10), __BOOT_DS (0x18), TSS.
Result<void> write_gdt(const GuestMemory& memory);

// Linux's 64-bit boot protocol: RIP at the entry point, RSI the zero page, interrupts off.
kvm_regs boot_registers(uint64_t entry);

// 64-bit mode with paging on the tables of page_tables.h, flat segments, an empty IDT. `reset` is what a new vCPU has.
kvm_sregs boot_special_registers(const kvm_sregs& reset);

// The x87 control word as after FNINIT. KVM_SET_FPU does not touch MXCSR, which has its reset value.
kvm_fpu boot_fpu();

// Model-specific registers that a firmware would have set, for every vCPU.
std::vector<kvm_msr_entry> boot_msrs();

// The local APIC of the boot processor in virtual wire mode: LINT0 takes the PIC's interrupts, LINT1 is NMI.
kvm_lapic_state boot_local_apic(const kvm_lapic_state& reset);

} // namespace hrun::boot
