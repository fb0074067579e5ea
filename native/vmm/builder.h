// SPDX-License-Identifier: Apache-2.0
// From a configuration to a machine that is ready to start: the recipe is build(), read top to bottom.
#pragma once

#include <memory>
#include <vector>

#include "vmm/cpuid_template.h"
#include "vmm/machine.h"

namespace hrun::vmm {

class Builder {
  public:
    // `loop`: where the devices live. `cpuid`: System::supported_cpuid() through the template; the same for all VMs.
    Builder(const kvm::System& system, const CpuidTable& cpuid, EventLoop& loop)
        : system_(system), cpuid_(cpuid), loop_(loop) {}

    // Called on vCPU threads with each byte of serial output.
    void on_console(platform::Serial::Output output) { console_ = std::move(output); }
    // Told the name of each step of the recipe when it is done: for benches.
    void on_step(std::function<void(const char* step)> done) { step_done_ = std::move(done); }
    // Help for hosts whose KVM cannot emulate all instructions (software_kvm.h).
    void use_aid(std::unique_ptr<EmulationAid> aid) { aid_ = std::move(aid); }

    // Called on each vCPU's thread before it does anything for the guest.
    void on_vcpu_entered(std::function<void()> entered) { vcpu_entered_ = std::move(entered); }

    // EINVAL names what is wrong in the configuration; other errors name the step that failed. Once only.
    Result<std::unique_ptr<Machine>> build(const Config& config, std::vector<SlotDevice> devices);
    // A machine that goes on where the saved one stood, once it is started. What it is made of the snapshot says; `devices` has each of
    // its devices in its slot, with the host's part of them, and may have others. EBADMSG, EINVAL, ENOTSUP: the snapshot is no good, of
    // another machine, of another processor. Once only.
    Result<std::unique_ptr<Machine>> restore(const SnapshotFile& snapshot, std::vector<SlotDevice> devices);

  private:
    Result<void> check(const Config& config, const std::vector<SlotDevice>& devices) const;
    Result<void> create_vm();
    Result<void> use_memory(Result<MachineMemory> memory);
    Result<void> create_transports(const Config& config, std::vector<SlotDevice> devices);
    Result<uint64_t> load(const Config& config);
    Result<void> create_interrupt_controllers(const Config& config);
    Result<void> create_platform();
    Result<void> create_vcpus(const Config& config);
    Result<void> set_boot_state(uint64_t entry);
    Result<void> set_boot_registers(kvm::Vcpu& vcpu, uint64_t entry) const;
    Result<void> note_shape(const Config& config);

    Result<MachineShape> check_snapshot(const SnapshotFile& snapshot,
                                        const std::vector<SlotDevice>& devices) const;
    Result<void> restore_vcpus(const SnapshotFile& snapshot, uint32_t tsc_khz);
    Result<void> match_tsc(kvm::Vcpu& vcpu, uint32_t khz, const SnapshotFile& snapshot) const;
    Result<void> restore_platform(const SnapshotFile& snapshot);
    Result<void> restore_devices(const SnapshotFile& snapshot, const MachineShape& shape);

    const kvm::System& system_;
    const CpuidTable& cpuid_;
    EventLoop& loop_;
    platform::Serial::Output console_ = [](char) {};
    std::function<void(const char*)> step_done_ = [](const char*) {};
    std::function<void()> vcpu_entered_ = [] {};
    std::unique_ptr<EmulationAid> aid_;
    std::unique_ptr<Machine> machine_;
};

// The kernel command line: what the user gave, one virtio_mmio.device= per slot, and what is for its first process.
std::string full_command_line(const Config& config, const std::vector<uint32_t>& slots);

} // namespace hrun::vmm
