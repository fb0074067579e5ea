// SPDX-License-Identifier: Apache-2.0
#include "vmm/probe.h"

#include <chrono>
#include <cstring>

#include "boot/x86_64/layout.h"
#include "memory/mapping.h"
#include "memory/memory_file.h"

namespace hrun::vmm {

namespace {

using Clock = std::chrono::steady_clock;

struct Extension {
    int capability;
    const char* name;
};

constexpr Extension kNeeded[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    {KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"},
    {KVM_CAP_PIT2, "KVM_CAP_PIT2"},
    {KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"},
    {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    {KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD"},
    {KVM_CAP_IRQFD, "KVM_CAP_IRQFD"},
    {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
    {KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
    {KVM_CAP_ADJUST_CLOCK, "KVM_CAP_ADJUST_CLOCK"},
};

// 32-bit code at address 0: a loop between two exits, again and again.
constexpr uint8_t kGuest[] = {
    0xe6, 0x00,                   // 1: out %al, $0
    0xb9, 0xfa, 0x00, 0x00, 0x00, //    mov $250, %ecx
    0x49,                         // 2: dec %ecx
    0x75, 0xfd,                   //    jnz 2b
    0xeb, 0xf4,                   //    jmp 1b
};
constexpr uint64_t kInstructions = 2 * 250;
// The best of these counts: a busy host may take the processor away for milliseconds in any of them.
constexpr int kRounds = 5;

// An emulator runs about a million instructions a second, a processor hundreds of millions and more even with an exit
// of some microseconds in the measurement.
constexpr double kHardwareRate = 50e6;

Result<void> enter_protected_mode(kvm::Vcpu& vcpu) {
    Result<kvm_sregs> special = vcpu.special_registers();
    if (!special)
        return special.error();
    kvm_segment flat{.limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .db = 1, .s = 1, .g = 1};
    special->cs = flat;
    flat.selector = 16;
    flat.type = 3;
    special->ds = special->es = special->fs = special->gs = special->ss = flat;
    special->cr0 |= 1; // PE
    HRUN_TRY(vcpu.set_special_registers(*special));
    return vcpu.set_registers({.rip = 0, .rflags = 2});
}

Result<void> run_to_port_exit(kvm::Vcpu& vcpu) {
    Result<void> ran = vcpu.run();
    while (!ran && ran.error().code == EINTR)
        ran = vcpu.run();
    if (ran && vcpu.state().exit_reason != KVM_EXIT_IO)
        return Error{EIO, "run a test guest: exit reason " + std::to_string(vcpu.state().exit_reason)};
    return ran;
}

Result<double> measure(const kvm::System& system) {
    Result<Fd> file = create_memory_file("hrun-probe", boot::kPageSize);
    if (!file)
        return file.error();
    Result<Mapping> memory = Mapping::share(file->get(), 0, boot::kPageSize);
    if (!memory)
        return memory.error();
    memcpy(memory->data(), kGuest, sizeof kGuest);
    Result<kvm::Vm> vm = system.create_vm();
    if (!vm)
        return vm.error();
    HRUN_TRY(vm->set_memory_slot(0, 0, memory->data(), boot::kPageSize, kvm::Vm::Slot::kPlain));
    HRUN_TRY(vm->set_identity_map_address(boot::kIdentityMapPage));
    HRUN_TRY(vm->set_tss_address(boot::kTssPages));
    Result<kvm::Vcpu> vcpu = vm->create_vcpu(0);
    if (!vcpu)
        return vcpu.error();
    HRUN_TRY(enter_protected_mode(*vcpu));
    HRUN_TRY(run_to_port_exit(*vcpu));
    double best = 0;
    for (int round = 0; round < kRounds && best < kHardwareRate; ++round) {
        const Clock::time_point start = Clock::now();
        HRUN_TRY(run_to_port_exit(*vcpu));
        best = std::max(best, kInstructions / std::chrono::duration<double>(Clock::now() - start).count());
    }
    return best;
}

} // namespace

Result<Probe> probe(const kvm::System& system) {
    const Clock::time_point start = Clock::now();
    Probe result;
    result.max_vcpus = static_cast<uint32_t>(system.extension(KVM_CAP_MAX_VCPUS));
    result.max_memory_slots = static_cast<uint32_t>(system.extension(KVM_CAP_NR_MEMSLOTS));
    for (const Extension& extension : kNeeded)
        if (system.extension(extension.capability) == 0)
            result.missing.emplace_back(extension.name);
    Result<double> rate = measure(system);
    if (!rate)
        return rate.error();
    result.instructions_per_second = *rate;
    result.hardware = *rate >= kHardwareRate;
    result.elapsed_ns = static_cast<uint64_t>(std::chrono::nanoseconds(Clock::now() - start).count());
    return result;
}

} // namespace hrun::vmm
