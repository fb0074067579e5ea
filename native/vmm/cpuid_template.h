// SPDX-License-Identifier: Apache-2.0
// What a guest sees of the processor. cpuid_template.cc lists it, leaf by leaf and bit by bit; what is not listed
// there, the guest does not see.
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <vector>

namespace hrun::vmm {

using CpuidTable = std::vector<kvm_cpuid_entry2>;

// The template cut out of what the host's KVM supports (KVM_GET_SUPPORTED_CPUID).
CpuidTable apply_cpuid_template(const CpuidTable& supported);

// `base` for the vCPU with APIC id `id` among `vcpus`: each vCPU is a core of its own in one package.
CpuidTable cpuid_of_vcpu(CpuidTable base, uint32_t id, uint32_t vcpus);

} // namespace hrun::vmm
