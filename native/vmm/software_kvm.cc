// SPDX-License-Identifier: Apache-2.0
// Instructions: Intel SDM volume 2. Kernel parameters: Linux, Documentation/admin-guide/kernel-parameters.txt, and our
// patches in guest-kernel/patches.
#include "vmm/software_kvm.h"

#include <algorithm>
#include <span>

namespace hrun::vmm {

namespace {

constexpr uint32_t kApicTimerKhz = 1000000; // KVM's: one tick a nanosecond, before it is slowed down

// What the emulator cannot run, in the kernel's names.
constexpr char kHiddenFeatures[] =
    " noxsave "
    "clearcpuid=smap,popcnt,cx16,fsgsbase,invpcid,pku,monitor,tsc_deadline_timer,ssse3,sse4_2,pclmulqdq,aes";

constexpr char kLessWork[] = " tsc=reliable lpj=1000000 no_timer_check mitigations=off noreplace-smp";

constexpr uint8_t kBreakpoint = 3;

class InstructionFinisher : public EmulationAid {
  public:
    bool finish_instruction(kvm::Vcpu& vcpu) override {
        const auto& failure = vcpu.state().emulation_failure;
        if (failure.ndata < 1 || !(failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
            return false;
        const size_t size = std::min<size_t>(failure.insn_size, sizeof failure.insn_bytes);
        Result<kvm_regs> registers = vcpu.registers();
        return registers && finish({failure.insn_bytes, size}, *registers, vcpu);
    }

  private:
    static bool finish(std::span<const uint8_t> code, kvm_regs& registers, kvm::Vcpu& vcpu) {
        if (starts(code, {0x9b})) // FWAIT: the kernel has no x87 exceptions pending
            return skip(vcpu, registers, 1);
        if (starts(code, {0xcc})) // INT3
            return skip(vcpu, registers, 1) && vcpu.inject_exception(kBreakpoint);
        return false;
    }

    static bool starts(std::span<const uint8_t> code, std::initializer_list<uint8_t> bytes) {
        return code.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), code.begin());
    }

    static bool skip(kvm::Vcpu& vcpu, kvm_regs& registers, unsigned bytes) {
        registers.rip += bytes;
        return static_cast<bool>(vcpu.set_registers(registers));
    }
};

} // namespace

// In some modes the guest sees the host's own CPUID instead, hence kHiddenFeatures.
CpuidTable software_kvm_cpuid(CpuidTable table) {
    constexpr uint32_t kCmpxchg16b = 1 << 13, kDeadlineTimer = 1 << 24;
    std::erase_if(table, [](const kvm_cpuid_entry2& entry) {
        return (entry.function & 0xf0000000) == 0x40000000; // paravirtual features, kvmclock among them
    });
    for (kvm_cpuid_entry2& entry : table)
        if (entry.function == 1)
            entry.ecx &= ~(kCmpxchg16b | kDeadlineTimer);
    return table;
}

void apply_software_kvm(Config& config, uint32_t tsc_khz) {
    config.apic_tick_ns = kSoftwareKvmDilation;
    config.command_line += std::string(kHiddenFeatures) + kLessWork +
                           " tsc_early_khz=" + std::to_string(uint64_t{tsc_khz} * kSoftwareKvmDilation) +
                           " lapic_timer_khz=" + std::to_string(kApicTimerKhz);
}

std::unique_ptr<EmulationAid> software_kvm_aid() {
    return std::make_unique<InstructionFinisher>();
}

} // namespace hrun::vmm
