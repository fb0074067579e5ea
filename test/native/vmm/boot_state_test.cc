// SPDX-License-Identifier: Apache-2.0
// What a built machine hands to the kernel, read back from KVM and from guest memory, field by field against Linux's
// Documentation/arch/x86/boot.rst ("64-bit BOOT PROTOCOL"), zero-page.rst and the Intel SDM.
#include <asm/bootparam.h>
#include <doctest/doctest.h>

#include <cstring>

#include "boot/x86_64/layout.h"
#include "boot/x86_64/mp_table.h"
#include "vmm/builder.h"

using namespace hrun;
using vmm::Machine;

namespace {

bool usable() {
    return static_cast<bool>(kvm::System::open());
}

struct Built {
    kvm::System system = std::move(*kvm::System::open());
    vmm::CpuidTable cpuid = vmm::apply_cpuid_template(*system.supported_cpuid());
    std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create());
    std::unique_ptr<Machine> machine;

    explicit Built(uint64_t memory, uint32_t vcpus = 2) {
        vmm::Config config;
        config.kernel = std::string(HRUN_GUESTS) + "/hello.elf";
        config.initrd = config.kernel; // any file will do
        config.command_line = "console=ttyS0";
        config.memory = memory;
        config.vcpus = vcpus;
        auto built = vmm::Builder(system, cpuid, *loop).build(config, {});
        REQUIRE_MESSAGE(built, built.error().message());
        machine = std::move(*built);
    }

    template <class T> T at(uint64_t address) const {
        T value;
        REQUIRE(machine->memory().guest.read(address, &value, sizeof value));
        return value;
    }
};

// The value of a read that must succeed.
template <class T> T must(Result<T> result) {
    REQUIRE_MESSAGE(result, result.error().message());
    return std::move(*result);
}

void check_flat(const kvm_segment& segment, uint16_t selector) {
    CHECK(segment.base == 0);
    CHECK(segment.limit == 0xffffffff);
    CHECK(segment.selector == selector);
    CHECK(segment.g == 1);
    CHECK(segment.s == 1);
    CHECK(segment.present == 1);
    CHECK(segment.dpl == 0);
    CHECK(segment.unusable == 0);
}

// The descriptor in the GDT that a selector names must say what the segment register holds (SDM volume 3, 3.4.5).
void check_descriptor(uint64_t descriptor, const kvm_segment& segment) {
    CHECK((descriptor >> 40 & 0xf) == segment.type);
    CHECK((descriptor >> 44 & 1) == segment.s);
    CHECK((descriptor >> 47 & 1) == 1);
    CHECK((descriptor >> 53 & 1) == segment.l);
    CHECK((descriptor >> 54 & 1) == segment.db);
    CHECK((descriptor >> 55 & 1) == segment.g);
    CHECK(((descriptor & 0xffff) | (descriptor >> 32 & 0xf0000)) ==
          (segment.g ? segment.limit >> 12 : segment.limit));
}

} // namespace

TEST_CASE("the first processor is in 64-bit mode with flat segments, interrupts off" *
          doctest::skip(!usable())) {
    Built built(64 << 20);
    const auto registers = must(built.machine->vcpu(0).registers());
    const auto special = must(built.machine->vcpu(0).special_registers());
    CHECK(registers.rip == 0x100000);        // the guest's ELF entry point
    CHECK(registers.rsi == boot::kZeroPage); // "%rsi must hold the base address of the struct boot_params"
    CHECK((registers.rflags & 0x200) == 0);  // "interrupt must be disabled"
    CHECK((registers.rflags & 2) == 2);
    CHECK((special.cr0 & 0x80000001) == 0x80000001); // paging, protection
    CHECK((special.cr4 & 0x20) == 0x20);             // PAE
    CHECK((special.efer & 0x500) == 0x500);          // LME, LMA
    check_flat(special.cs, 0x10);                    // __BOOT_CS, execute/read
    CHECK(special.cs.type == 11);
    CHECK(special.cs.l == 1);
    CHECK(special.cs.db == 0);
    for (const kvm_segment& segment : {special.ds, special.es, special.ss}) {
        check_flat(segment, 0x18); // __BOOT_DS, read/write
        CHECK(segment.type == 3);
    }
    CHECK(special.tr.type == 11); // busy TSS: what entering a VM demands (SDM volume 3, 27.3.1.2)
    CHECK(special.tr.present == 1);
}

TEST_CASE("the GDT in memory says what the segment registers hold" * doctest::skip(!usable())) {
    Built built(64 << 20);
    const auto special = must(built.machine->vcpu(0).special_registers());
    for (const kvm_segment& segment : {special.cs, special.ds, special.ss, special.tr}) {
        CHECK(segment.selector + 7u <= special.gdt.limit);
        check_descriptor(built.at<uint64_t>(special.gdt.base + segment.selector), segment);
    }
    CHECK(built.at<uint64_t>(special.gdt.base) == 0);
}

TEST_CASE("page tables map the first 4 GiB onto themselves" * doctest::skip(!usable())) {
    Built built(64 << 20);
    const uint64_t cr3 = must(built.machine->vcpu(0).special_registers()).cr3;
    for (uint64_t address = 0; address < 4ull << 30; address += (2 << 20) - 4096 + 0x7000) {
        const uint64_t pml4e = built.at<uint64_t>(cr3 + (address >> 39 & 511) * 8);
        REQUIRE((pml4e & 3) == 3);
        const uint64_t pdpte = built.at<uint64_t>((pml4e & ~0xfffull) + (address >> 30 & 511) * 8);
        REQUIRE((pdpte & 0x83) == 3);
        const uint64_t pde = built.at<uint64_t>((pdpte & ~0xfffull) + (address >> 21 & 511) * 8);
        REQUIRE((pde & 0x83) == 0x83);
        REQUIRE((pde & ~0x1fffffull) == (address & ~0x1fffffull));
    }
}

TEST_CASE("the zero page tells command line, initrd and memory" * doctest::skip(!usable())) {
    Built built(64 << 20);
    const auto params = built.at<boot_params>(boot::kZeroPage);
    CHECK(+params.sentinel == 0);
    CHECK(+params.hdr.boot_flag == 0xaa55);
    CHECK(+params.hdr.header == 0x53726448);
    CHECK(+params.hdr.version >= 0x020c);
    CHECK(+params.hdr.type_of_loader == 0xff);
    CHECK(+params.hdr.cmd_line_ptr == boot::kCommandLine);
    CHECK(+params.ext_cmd_line_ptr == 0);
    char line[14] = {};
    REQUIRE(built.machine->memory().guest.read(boot::kCommandLine, line, sizeof line));
    CHECK(std::string(line) == "console=ttyS0");
    CHECK(+params.hdr.ramdisk_image % 4096 == 0);
    CHECK(+params.hdr.ramdisk_image + params.hdr.ramdisk_size <= 64u << 20);
    CHECK(built.at<uint32_t>(params.hdr.ramdisk_image) == 0x464c457f);
    CHECK(+params.acpi_rsdp_addr == 0);
    REQUIRE(+params.e820_entries == 3);
    CHECK(+params.e820_table[0].addr == 0);
    CHECK(+params.e820_table[0].size == boot::kMpTableAddress);
    CHECK(+params.e820_table[0].type == 1);
    CHECK(+params.e820_table[1].type == 2);
    CHECK(+params.e820_table[2].addr == 0x100000);
    CHECK(+params.e820_table[2].addr + params.e820_table[2].size == 64 << 20);
}

TEST_CASE("memory above 4 GiB is in the map and is memory" * doctest::skip(!usable())) {
    Built built(5ull << 30);
    const auto params = built.at<boot_params>(boot::kZeroPage);
    REQUIRE(+params.e820_entries == 4);
    CHECK(+params.e820_table[2].addr + params.e820_table[2].size == 0xd0000000);
    CHECK(+params.e820_table[3].addr == 0x100000000);
    CHECK(+params.e820_table[3].size == (5ull << 30) - 0xd0000000);
    const uint64_t last = params.e820_table[3].addr + params.e820_table[3].size - 8;
    CHECK(built.at<uint64_t>(last) == 0);
    CHECK(!built.machine->memory().guest.contiguous(0xd0000000, 1));
    CHECK(+params.hdr.ramdisk_image + params.hdr.ramdisk_size <= 0xd0000000); // below initrd_addr_max
}

TEST_CASE("nothing that the kernel is handed overlaps" * doctest::skip(!usable())) {
    const std::vector<boot::Range> parts{{boot::kGdt, 48},
                                         {boot::kZeroPage, sizeof(boot_params)},
                                         {boot::kPageTables, 6 * 4096},
                                         {boot::kCommandLine, boot::kCommandLineMax},
                                         {boot::kMpTableAddress, 0xc10},
                                         {0x100000, 0x100000}};
    for (size_t i = 1; i < parts.size(); ++i)
        CHECK(parts[i - 1].address + parts[i - 1].size <= parts[i].address);
}

TEST_CASE("the boot processor's APIC is in virtual wire mode, the others wait for INIT" *
          doctest::skip(!usable())) {
    Built built(64 << 20, 2);
    const auto apic = must(built.machine->vcpu(0).local_apic());
    uint32_t lint0, lint1;
    memcpy(&lint0, apic.regs + 0x350, 4);
    memcpy(&lint1, apic.regs + 0x360, 4);
    CHECK((lint0 & 0x10700) == 0x700); // ExtINT, not masked
    CHECK((lint1 & 0x10700) == 0x400); // NMI, not masked
    CHECK(must(built.machine->vcpu(0).run_state()).mp_state == KVM_MP_STATE_RUNNABLE);
    CHECK(must(built.machine->vcpu(1).run_state()).mp_state == KVM_MP_STATE_UNINITIALIZED);
    const auto special = must(built.machine->vcpu(1).special_registers());
    CHECK((special.apic_base & 0x100) == 0); // not the boot processor
    CHECK((must(built.machine->vcpu(0).special_registers()).apic_base & 0x900) == 0x900);
}

// MXCSR is the reset value in a new vCPU; KVM_GET_FPU does not tell it.
TEST_CASE("the x87 control word is that of FNINIT" * doctest::skip(!usable())) {
    Built built(64 << 20);
    CHECK(must(built.machine->vcpu(0).fpu()).fcw == 0x37f);
}
