// SPDX-License-Identifier: Apache-2.0
// ELF vmlinux: its loadable segments go to their physical addresses, the vCPU starts at the entry point.
#include <elf.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "boot/x86_64/kernel.h"
#include "boot/x86_64/layout.h"

namespace hrun::boot {

namespace {

constexpr uint16_t kMaxSegments = 64;
constexpr uint32_t kSetupMagic = 0x53726448; // "HdrS"
constexpr uint16_t kBootFlag = 0xaa55;

Error broken(const ImageFile& file, const char* what) {
    return Error{ENOEXEC, "load kernel " + file.path() + " (" + what + ")"};
}

Result<void> check(const ImageFile& file, const Elf64_Ehdr& header) {
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != EM_X86_64)
        return broken(file, "not an ELF file for x86-64");
    if (header.e_type != ET_EXEC)
        return broken(file, "not an executable with fixed addresses");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMaxSegments)
        return broken(file, "bad program header table");
    return {};
}

// Fresh guest memory is zero, so the part of a segment that is not in the file needs no writing, only to be RAM.
Result<void> load_segment(const GuestMemory& memory, const ImageFile& file, const Elf64_Phdr& segment) {
    if (segment.p_filesz > segment.p_memsz)
        return broken(file, "segment larger in the file than in memory");
    if (segment.p_paddr < kHighMemory || !memory.contiguous(segment.p_paddr, segment.p_memsz))
        return broken(file, "segment outside RAM; more memory may help");
    return file.load(segment.p_offset, memory, segment.p_paddr, segment.p_filesz);
}

// A vmlinux has no setup header of its own. These are the fields that the boot protocol asks a 64-bit loader for.
setup_header default_header() {
    setup_header header{};
    header.boot_flag = kBootFlag;
    header.header = kSetupMagic;
    header.version = 0x020f;
    header.kernel_alignment = 0x1000000;
    header.initrd_addr_max = static_cast<uint32_t>(kHoleStart - 1);
    header.cmdline_size = kCommandLineMax - 1;
    return header;
}

} // namespace

Result<LoadedKernel> load_elf(const GuestMemory& memory, const ImageFile& file) {
    Elf64_Ehdr header;
    HRUN_TRY(file.read(0, &header, sizeof header));
    HRUN_TRY(check(file, header));
    std::vector<Elf64_Phdr> segments(header.e_phnum);
    HRUN_TRY(file.read(header.e_phoff, segments.data(), segments.size() * sizeof(Elf64_Phdr)));
    LoadedKernel kernel{header.e_entry, 0, default_header()};
    bool entry_loaded = false;
    for (const Elf64_Phdr& segment : segments) {
        if (segment.p_type != PT_LOAD || segment.p_memsz == 0)
            continue;
        HRUN_TRY(load_segment(memory, file, segment));
        kernel.end = std::max(kernel.end, segment.p_paddr + segment.p_memsz);
        entry_loaded |=
            header.e_entry >= segment.p_paddr && header.e_entry - segment.p_paddr < segment.p_filesz;
    }
    if (!entry_loaded)
        return broken(file, "entry point outside its segments");
    return kernel;
}

} // namespace hrun::boot
