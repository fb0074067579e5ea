// SPDX-License-Identifier: Apache-2.0
// A machine, built and ready to run: the owner of its VM, memory, vCPU threads and devices.
//
// It belongs to the thread that runs the EventLoop it was built with: all of its functions are called there.
#pragma once

#include <memory>
#include <vector>

#include "devices/platform/i8042.h"
#include "devices/platform/serial.h"
#include "kvm/system.h"
#include "vmm/config.h"
#include "vmm/device_slots.h"
#include "vmm/machine_memory.h"
#include "vmm/machine_shape.h"
#include "vmm/run_control.h"
#include "vmm/snapshot_writer.h"
#include "vmm/vcpu_thread.h"

namespace hrun::vmm {

class Machine {
  public:
    // Stops the guest, resets the devices and lets go of everything, in the right order.
    ~Machine();

    // Starts the vCPU threads, which stand still until start(): for an owner with something to do in between. Idempotent.
    Result<void> start_threads();
    // Lets the guest run.
    Result<void> start();
    // Returns when no vCPU runs the guest and all registers are readable; the guest's clock stands still. Devices go on
    // serving what they have. Idempotent.
    Result<void> pause();
    Result<void> resume();
    // Ends the guest as pulling the plug does. Idempotent; ended() is signalled.
    void stop();

    // Signalled, and never drained by the machine, when the guest has come to its end.
    const EventFd& ended() const { return *ended_; }
    bool has_ended() const { return control_->current() == RunControl::Command::kStop; }
    End how_it_ended() const { return control_->how_it_ended(); }

    // Puts a device into an empty slot that the kernel was told of, or takes one away. A guest that runs is not told, but finds it
    // when it looks; its vCPUs stand still meanwhile. EINVAL, EEXIST, or what KVM says: then the slot is as it was.
    Result<void> plug(SlotDevice device);
    // A slot without a device is fine.
    Result<void> unplug(uint32_t slot);

    // Makes a snapshot of the machine, which must be paused (EBUSY) and may go on afterwards. ENOTSUP says what of it cannot be saved.
    Result<void> save(const kvm::System& system, const SnapshotTarget& target);

    // Input for the serial console; returns how many bytes were taken.
    size_t console_input(std::span<const char> input) { return serial_->receive(input); }

    // Logging of guest writes to memory, for snapshots.
    Result<void> log_dirty(bool on) { return set_dirty_logging(vm_, memory_, on); }
    Result<std::vector<boot::Range>> take_dirty() const { return take_dirty_ranges(vm_, memory_); }

    const MachineMemory& memory() const { return memory_; }
    // Only before start() and while paused.
    kvm::Vcpu& vcpu(size_t id) { return vcpus_[id]->vcpu(); }
    size_t vcpu_count() const { return vcpus_.size(); }
    // Exits that this process had to answer, of all vCPUs.
    uint64_t exits() const;

  private:
    friend class Builder;
    explicit Machine(kvm::Vm vm) : vm_(std::move(vm)) {}
    bool guest_runs() const { return started_ && !paused_ && !has_ended(); }
    Result<void> save_vcpus(const kvm::System& system, std::vector<Section>& sections);
    Result<void> save_platform(std::vector<Section>& sections);
    void park_vcpus();
    Result<void> with_vcpus_parked(const std::function<Result<void>()>& change);

    // In the order of their needs: each may refer to those above it, so they go in the opposite order.
    kvm::Vm vm_;
    MachineMemory memory_;
    std::unique_ptr<DeviceThread> device_thread_;
    std::unique_ptr<EventFd> ended_;
    std::unique_ptr<RunControl> control_;
    EventFd serial_interrupt_;
    std::unique_ptr<platform::Serial> serial_;
    std::unique_ptr<platform::I8042> i8042_;
    Buses buses_;
    std::unique_ptr<DeviceSlots> slots_;
    std::unique_ptr<EmulationAid> aid_;
    std::vector<std::unique_ptr<VcpuThread>> vcpus_;
    bool threads_started_ = false;
    bool started_ = false;
    bool paused_ = false;    // a restored machine is, until it is started
    MachineShape shape_;     // but for its devices, which are in slots_
    kvm_clock_data clock_{}; // while paused: the time to go on from
};

} // namespace hrun::vmm
