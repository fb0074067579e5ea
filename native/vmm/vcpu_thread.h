// SPDX-License-Identifier: Apache-2.0
// One vCPU's thread: runs the guest, and answers what the kernel could not.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "devices/platform/bus.h"
#include "kvm/vcpu.h"
#include "vmm/run_control.h"

namespace hrun::vmm {

struct Buses {
    platform::Bus ports;
    platform::Bus mmio;
};

// Something that can finish an instruction which KVM could not emulate; null on hosts that need no such help.
class EmulationAid {
  public:
    virtual ~EmulationAid() = default;
    // True when the vCPU's registers now stand behind the instruction.
    virtual bool finish_instruction(kvm::Vcpu& vcpu) = 0;
};

class VcpuThread {
  public:
    // `entered` is called on the thread before it does anything for the guest.
    VcpuThread(kvm::Vcpu vcpu, uint32_t id, const Buses& buses, RunControl& control, EmulationAid* aid,
               std::function<void()> entered);
    // The control must have been told to stop; waits for the thread.
    ~VcpuThread();

    // Starts the thread, which at first obeys the control's command.
    Result<void> start();
    // Makes a running guest look at the control again. From any thread.
    void kick();

    // Only while the thread is parked or not started.
    kvm::Vcpu& vcpu() { return vcpu_; }
    // Exits to this process so far.
    uint64_t exits() const { return exits_.load(std::memory_order_relaxed); }

  private:
    void main();
    bool run_once();
    bool handle_exit();
    void handle_port();
    void handle_mmio();
    bool handle_internal_error();
    bool handle_system_event();
    bool give_up(End::Reason reason, const std::string& what);

    kvm::Vcpu vcpu_;
    uint32_t id_;
    const Buses& buses_;
    RunControl& control_;
    EmulationAid* aid_;
    std::function<void()> entered_;
    std::atomic<uint64_t> exits_ = 0;
    std::thread thread_;
};

} // namespace hrun::vmm
