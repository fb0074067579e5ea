// SPDX-License-Identifier: Apache-2.0
#include "boot/x86_64/cpu_state.h"

#include <cstring>

#include "boot/x86_64/layout.h"

namespace hrun::boot {

namespace {

// Intel SDM volume 3, 2.5 and 2.2.1.
constexpr uint64_t kCr0Pe = 1 << 0;
constexpr uint64_t kCr0Et = 1 << 4;
constexpr uint64_t kCr0Pg = 1u << 31;
constexpr uint64_t kCr4Pae = 1 << 5;
constexpr uint64_t kEferLme = 1 << 8;
constexpr uint64_t kEferLma = 1 << 10;

constexpr uint64_t kRflagsReserved = 1 << 1; // always one
constexpr uint16_t kBootCs = 0x10;
constexpr uint16_t kBootDs = 0x18;
constexpr uint16_t kBootTss = 0x20;

enum SegmentType : uint8_t { kCodeReadAccessed = 11, kDataWriteAccessed = 3, kBusyTss = 11 };

kvm_segment code_segment() {
    return {.limit = 0xffffffff,
            .selector = kBootCs,
            .type = kCodeReadAccessed,
            .present = 1,
            .s = 1,
            .l = 1,
            .g = 1};
}

kvm_segment data_segment() {
    return {.limit = 0xffffffff,
            .selector = kBootDs,
            .type = kDataWriteAccessed,
            .present = 1,
            .db = 1,
            .s = 1,
            .g = 1};
}

kvm_segment task_segment() {
    return {.limit = 0x67, .selector = kBootTss, .type = kBusyTss, .present = 1};
}

// Intel SDM volume 3, figure 3-8.
uint64_t descriptor(const kvm_segment& segment) {
    const uint64_t limit = segment.g ? segment.limit >> 12 : segment.limit;
    const uint64_t access = segment.type | segment.s << 4 | segment.dpl << 5 | segment.present << 7;
    const uint64_t flags = segment.avl | segment.l << 1 | segment.db << 2 | segment.g << 3;
    return (limit & 0xffff) | (segment.base & 0xffffff) << 16 | access << 40 | (limit >> 16 & 0xf) << 48 |
           flags << 52 | (segment.base >> 24 & 0xff) << 56;
}

constexpr size_t kGdtEntries = 6; // a 64-bit TSS descriptor takes two

constexpr uint32_t kMsrMiscEnable = 0x1a0;
constexpr uint64_t kMiscEnableFastString = 1;
constexpr uint32_t kMsrMtrrDefaultType = 0x2ff;
constexpr uint64_t kMtrrEnable = 1 << 11;
constexpr uint64_t kMtrrWriteBack = 6;

// Intel SDM volume 3, 11.5.1: local vector table.
constexpr size_t kApicLint0 = 0x350;
constexpr size_t kApicLint1 = 0x360;
constexpr uint32_t kDeliveryNmi = 4 << 8;
constexpr uint32_t kDeliveryExtInt = 7 << 8;

void set_apic_register(kvm_lapic_state& apic, size_t offset, uint32_t value) {
    memcpy(apic.regs + offset, &value, sizeof value);
}

} // namespace

Result<void> write_gdt(const GuestMemory& memory) {
    const uint64_t table[kGdtEntries] = {
        0, 0, descriptor(code_segment()), descriptor(data_segment()), descriptor(task_segment()), 0};
    if (!memory.write(kGdt, table, sizeof table))
        return Error{ENOMEM, "write the GDT"};
    return {};
}

kvm_regs boot_registers(uint64_t entry) {
    return {.rsi = kZeroPage, .rip = entry, .rflags = kRflagsReserved};
}

kvm_sregs boot_special_registers(const kvm_sregs& reset) {
    kvm_sregs registers = reset;
    registers.cs = code_segment();
    registers.ds = registers.es = registers.fs = registers.gs = registers.ss = data_segment();
    registers.tr = task_segment();
    registers.gdt = {.base = kGdt, .limit = kGdtEntries * sizeof(uint64_t) - 1};
    registers.idt = {.base = 0,
                     .limit = 0}; // a fault before the kernel has its own is a triple fault, and is seen
    registers.cr0 = kCr0Pe | kCr0Et | kCr0Pg;
    registers.cr3 = kPageTables;
    registers.cr4 = kCr4Pae;
    registers.efer = kEferLme | kEferLma;
    return registers;
}

kvm_fpu boot_fpu() {
    kvm_fpu fpu{};
    fpu.fcw = 0x37f;
    return fpu;
}

std::vector<kvm_msr_entry> boot_msrs() {
    return {
        {.index = kMsrMiscEnable, .data = kMiscEnableFastString},
        {.index = kMsrMtrrDefaultType, .data = kMtrrEnable | kMtrrWriteBack},
    };
}

kvm_lapic_state boot_local_apic(const kvm_lapic_state& reset) {
    kvm_lapic_state apic = reset;
    set_apic_register(apic, kApicLint0, kDeliveryExtInt);
    set_apic_register(apic, kApicLint1, kDeliveryNmi);
    return apic;
}

} // namespace hrun::boot
