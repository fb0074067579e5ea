// SPDX-License-Identifier: Apache-2.0
// What every machine of the kvm engine is made with: the host's KVM, the CPUID that guests see, and the kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kvm/system.h"
#include "monitor/container.h"
#include "vmm/config.h"
#include "vmm/cpuid_template.h"

namespace hrun::monitor {

struct KvmHost {
    kvm::System system;
    vmm::CpuidTable cpuid;

    // Takes the descriptor of /dev/kvm out of `files`.
    static Result<KvmHost> open(MachineFiles& files);
};

// A machine that boots the container's kernel. `spare_slots`: those that may get a device later; `init_arguments`: words for the agent.
Result<vmm::Config> kvm_boot_config(Container& container, std::vector<uint32_t> spare_slots,
                                    std::string init_arguments = "");

// The same error, with what to do about it where that is known.
Error with_kvm_advice(Error error);

} // namespace hrun::monitor
