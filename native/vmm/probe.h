// SPDX-License-Identifier: Apache-2.0
// What this host's KVM is worth: its abilities, and its speed measured with a guest of three instructions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kvm/system.h"

namespace hrun::vmm {

struct Probe {
    int api_version = KVM_API_VERSION;
    uint32_t max_vcpus = 0;
    uint32_t max_memory_slots = 0;
    std::vector<std::string> missing;   // names of the extensions that the engine needs and the host lacks
    double instructions_per_second = 0; // of guest kernel code
    bool hardware = false;              // the processor runs guest kernel code, not an emulator
    uint64_t elapsed_ns = 0;            // of the whole probe
};

// Fails only when a VM cannot be made at all; the error says why.
Result<Probe> probe(const kvm::System& system);

} // namespace hrun::vmm
