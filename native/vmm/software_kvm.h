// SPDX-License-Identifier: Apache-2.0
// Help for hosts whose KVM emulates guest kernel code in software (Probe::hardware is false): enough for the boot of an
// unmodified Linux kernel. All there is of it is here; a machine has none of it unless its maker applies it.
//
// What such a KVM lacks: some instructions (hidden from the guest by CPUID, or finished here), and speed. A timer tick costs
// milliseconds, so real time would go into ticks alone: the guest's clocks are told to be slower than they are.
#pragma once

#include <memory>
#include <string>

#include "vmm/config.h"
#include "vmm/cpuid_template.h"
#include "vmm/vcpu_thread.h"

namespace hrun::vmm {

// A second of the guest takes this many seconds of the host.
constexpr uint32_t kSoftwareKvmDilation = 100;

// Hides what the emulator cannot run, and the clocks that cannot be slowed down.
CpuidTable software_kvm_cpuid(CpuidTable table);

// Slows the local APIC timers down, and adds words to the kernel's command line: the dilated clocks, and no work
// that is done for a real processor. `tsc_khz` is the host's rate (kvm::Vcpu::tsc_khz).
void apply_software_kvm(Config& config, uint32_t tsc_khz);

// Finishes instructions that the emulator gives up on.
std::unique_ptr<EmulationAid> software_kvm_aid();

} // namespace hrun::vmm
