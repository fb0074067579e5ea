// SPDX-License-Identifier: Apache-2.0
// What is said when a vCPU cannot go on: the exit in words, then its registers.
#pragma once

#include <string>

#include "kvm/vcpu.h"

namespace hrun::vmm {

// "KVM_EXIT_MMIO", or "exit reason N" for one that this table does not know.
std::string exit_name(uint32_t reason);

// First line: `what` and where; then general, segment and control registers, one group a line.
std::string exit_report(const std::string& what, kvm::Vcpu& vcpu, uint32_t id);

// The details of the exit that the vCPU just made: error codes, addresses, instruction bytes.
std::string describe_exit(const kvm_run& run);

} // namespace hrun::vmm
