// SPDX-License-Identifier: Apache-2.0
// All that there is of a vCPU, as plain data: what Vcpu::save() gives and Vcpu::restore() takes.
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/result.h"

namespace hrun::kvm {

// IA32_TSC_DEADLINE
constexpr uint32_t kTscDeadline = 0x6e0;

// What a vCPU of this host has that others may not have (System::vcpu_parts).
struct VcpuParts {
    std::vector<uint32_t> msrs; // indices of those that hold state, in the order in which they are to be set
    size_t xsave_bytes = 0;     // of KVM_GET_XSAVE2
};

struct VcpuState {
    kvm_mp_state run_state{};
    kvm_regs registers{};
    kvm_sregs2 special{};
    std::vector<std::byte> xsave; // x87, SSE, AVX, …
    kvm_xcrs extended_control{};
    kvm_debugregs debug{};
    kvm_lapic_state local_apic{};
    kvm_vcpu_events events{};
    std::vector<kvm_msr_entry> msrs;

    void put(ByteWriter& out) const;
    // Checks what KVM does not: lengths, counts, and that no MSR is set that is not of `parts`. EBADMSG says what is wrong.
    static Result<VcpuState> read(ByteReader& in, const VcpuParts& parts);
};

} // namespace hrun::kvm
