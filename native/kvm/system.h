// SPDX-License-Identifier: Apache-2.0
// /dev/kvm itself: what this host's KVM can do, and how a VM is made.
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "kvm/vm.h"

namespace hrun::kvm {

class System {
  public:
    // Opens /dev/kvm. ENOENT: KVM is not loaded; EACCES: no permission; ENOTSUP: an API other than version 12, the
    // only one there has been since Linux 2.6.22.
    static Result<System> open();
    // The same with /dev/kvm opened by somebody else.
    static Result<System> adopt(Fd device);

    // The value of a KVM_CAP_*: 0 when the host lacks it, else 1 or what the capability counts.
    int extension(int capability) const;
    // KVM_GET_SUPPORTED_CPUID: what a guest may be shown at most. 90 µs and more, so ask once per process.
    Result<std::vector<kvm_cpuid_entry2>> supported_cpuid() const;
    // What the state of a vCPU consists of here, for snapshots: ask once. ENOTSUP before Linux 5.17.
    Result<VcpuParts> vcpu_parts() const;
    Result<Vm> create_vm() const;

  private:
    System(Fd fd, size_t run_size) : fd_(std::move(fd)), run_size_(run_size) {}

    Fd fd_;
    size_t run_size_; // bytes of one vCPU's struct kvm_run and what follows it
};

} // namespace hrun::kvm
