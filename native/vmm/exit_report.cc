// SPDX-License-Identifier: Apache-2.0
#include "vmm/exit_report.h"

#include <cstdarg>
#include <cstdio>

namespace hrun::vmm {

namespace {

__attribute__((format(printf, 1, 2))) std::string format(const char* pattern, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, pattern);
    vsnprintf(line, sizeof line, pattern, arguments);
    va_end(arguments);
    return line;
}

unsigned long long u(uint64_t value) {
    return value;
}

std::string general(const kvm_regs& r) {
    return format("rip %016llx rflags %08llx rsp %016llx rbp %016llx\n", u(r.rip), u(r.rflags), u(r.rsp),
                  u(r.rbp)) +
           format("rax %016llx rbx %016llx rcx %016llx rdx %016llx\n", u(r.rax), u(r.rbx), u(r.rcx),
                  u(r.rdx)) +
           format("rsi %016llx rdi %016llx r8  %016llx r9  %016llx\n", u(r.rsi), u(r.rdi), u(r.r8), u(r.r9)) +
           format("r10 %016llx r11 %016llx r12 %016llx r13 %016llx\n", u(r.r10), u(r.r11), u(r.r12),
                  u(r.r13)) +
           format("r14 %016llx r15 %016llx\n", u(r.r14), u(r.r15));
}

std::string segment(const char* name, const kvm_segment& s) {
    return format("%s %04x base %016llx limit %08x type %x s %d dpl %d p %d l %d db %d g %d\n", name,
                  s.selector, u(s.base), s.limit, s.type, s.s, s.dpl, s.present, s.l, s.db, s.g);
}

std::string control(const kvm_sregs& s) {
    return format("cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx efer %08llx apic_base %llx\n", u(s.cr0),
                  u(s.cr2), u(s.cr3), u(s.cr4), u(s.efer), u(s.apic_base)) +
           format("gdt %016llx/%04x idt %016llx/%04x\n", u(s.gdt.base), s.gdt.limit, u(s.idt.base),
                  s.idt.limit);
}

std::string segments(const kvm_sregs& s) {
    return segment("cs", s.cs) + segment("ss", s.ss) + segment("ds", s.ds) + segment("es", s.es) +
           segment("fs", s.fs) + segment("gs", s.gs) + segment("tr", s.tr);
}

std::string emulation_failure(const kvm_run& run) {
    std::string text = "KVM could not emulate an instruction";
    const auto& failure = run.emulation_failure;
    if (failure.ndata < 1 || !(failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
        return text;
    text += ":";
    for (unsigned i = 0; i < failure.insn_size && i < sizeof failure.insn_bytes; ++i)
        text += format(" %02x", failure.insn_bytes[i]);
    return text;
}

} // namespace

std::string exit_name(uint32_t reason) {
    static constexpr const char* kNames[] = {
        "KVM_EXIT_UNKNOWN",
        "KVM_EXIT_EXCEPTION",
        "KVM_EXIT_IO",
        "KVM_EXIT_HYPERCALL",
        "KVM_EXIT_DEBUG",
        "KVM_EXIT_HLT",
        "KVM_EXIT_MMIO",
        "KVM_EXIT_IRQ_WINDOW_OPEN",
        "KVM_EXIT_SHUTDOWN",
        "KVM_EXIT_FAIL_ENTRY",
        "KVM_EXIT_INTR",
        "KVM_EXIT_SET_TPR",
        "KVM_EXIT_TPR_ACCESS",
        "KVM_EXIT_S390_SIEIC",
        "KVM_EXIT_S390_RESET",
        "KVM_EXIT_DCR",
        "KVM_EXIT_NMI",
        "KVM_EXIT_INTERNAL_ERROR",
        "KVM_EXIT_OSI",
        "KVM_EXIT_PAPR_HCALL",
        "KVM_EXIT_S390_UCONTROL",
        "KVM_EXIT_WATCHDOG",
        "KVM_EXIT_S390_TSCH",
        "KVM_EXIT_EPR",
        "KVM_EXIT_SYSTEM_EVENT",
        "KVM_EXIT_S390_STSI",
        "KVM_EXIT_IOAPIC_EOI",
        "KVM_EXIT_HYPERV",
        "KVM_EXIT_ARM_NISV",
        "KVM_EXIT_X86_RDMSR",
        "KVM_EXIT_X86_WRMSR",
        "KVM_EXIT_DIRTY_RING_FULL",
        "KVM_EXIT_AP_RESET_HOLD",
        "KVM_EXIT_X86_BUS_LOCK",
        "KVM_EXIT_XEN",
        "KVM_EXIT_RISCV_SBI",
        "KVM_EXIT_RISCV_CSR",
        "KVM_EXIT_NOTIFY",
    };
    return reason < std::size(kNames) ? kNames[reason] : "exit reason " + std::to_string(reason);
}

std::string describe_exit(const kvm_run& run) {
    switch (run.exit_reason) {
    case KVM_EXIT_UNKNOWN:
        return format("KVM stopped for hardware reason 0x%llx", u(run.hw.hardware_exit_reason));
    case KVM_EXIT_FAIL_ENTRY:
        return format("the processor refused to enter the guest, reason 0x%llx on CPU %u",
                      u(run.fail_entry.hardware_entry_failure_reason), run.fail_entry.cpu);
    case KVM_EXIT_EXCEPTION:
        return format("exception %u, error code 0x%x", run.ex.exception, run.ex.error_code);
    case KVM_EXIT_INTERNAL_ERROR:
        if (run.internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
            return emulation_failure(run);
        return format("KVM internal error %u", run.internal.suberror);
    case KVM_EXIT_SHUTDOWN:
        return "the guest took a triple fault";
    case KVM_EXIT_SYSTEM_EVENT:
        return format("system event %u", run.system_event.type);
    default:
        return "unexpected " + exit_name(run.exit_reason);
    }
}

std::string exit_report(const std::string& what, kvm::Vcpu& vcpu, uint32_t id) {
    Result<kvm_regs> registers = vcpu.registers();
    Result<kvm_sregs> special = vcpu.special_registers();
    if (!registers || !special)
        return what + format(" (vCPU %u, registers unreadable)\n", id);
    return what + format(" (vCPU %u at %016llx)\n", id, u(registers->rip)) + general(*registers) +
           segments(*special) + control(*special);
}

} // namespace hrun::vmm
