// SPDX-License-Identifier: Apache-2.0
#include "boot/x86_64/kernel.h"

#include <doctest/doctest.h>
#include <elf.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "boot/x86_64/initrd.h"
#include "boot/x86_64/layout.h"
#include "boot/x86_64/zero_page.h"
#include "memory/memory_file.h"

using namespace hrun;
using namespace hrun::boot;

namespace {

constexpr uint64_t kRam = 32 << 20;

GuestMemory guest_memory(uint64_t size = kRam) {
    Result<Fd> file = create_memory_file("test", size);
    REQUIRE(file);
    Result<Mapping> mapping = Mapping::share(file->get(), 0, size);
    REQUIRE(mapping);
    GuestMemory memory;
    REQUIRE(memory.add(std::move(*mapping), 0));
    return memory;
}

class TemporaryFile {
  public:
    explicit TemporaryFile(const std::string& bytes) {
        char name[] = "/tmp/hrun-kernel-XXXXXX";
        const Fd fd(mkstemp(name));
        REQUIRE(fd.valid());
        path = name;
        REQUIRE(write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    ~TemporaryFile() { std::filesystem::remove(path); }
    std::string path;
};

struct ElfImage {
    Elf64_Ehdr header{};
    Elf64_Phdr segment{};
    char code[16] = "kernel code";

    ElfImage() {
        memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_type = ET_EXEC;
        header.e_machine = EM_X86_64;
        header.e_entry = 0x1000000;
        header.e_phoff = sizeof header;
        header.e_phentsize = sizeof segment;
        header.e_phnum = 1;
        segment.p_type = PT_LOAD;
        segment.p_offset = sizeof header + sizeof segment;
        segment.p_paddr = 0x1000000;
        segment.p_filesz = sizeof code;
        segment.p_memsz = 0x5000;
    }
    std::string bytes() const { return std::string(reinterpret_cast<const char*>(this), sizeof *this); }
};

std::string bzimage(const setup_header& header, size_t code) {
    std::string bytes(5 * 512 + code, '\0');
    memcpy(bytes.data() + 0x1f1, &header, sizeof header);
    memcpy(bytes.data() + 5 * 512, "protected mode", 14);
    return bytes;
}

setup_header bzimage_header() {
    setup_header header{};
    header.setup_sects = 4;
    header.boot_flag = 0xaa55;
    header.header = 0x53726448;
    header.version = 0x020f;
    header.loadflags = LOADED_HIGH;
    header.xloadflags = XLF_KERNEL_64;
    header.relocatable_kernel = 1;
    header.pref_address = 0x1000000;
    header.init_size = 0x200000;
    header.initrd_addr_max = 0x7fffffff;
    header.cmdline_size = 2047;
    return header;
}

int load_error(const std::string& bytes) {
    const GuestMemory memory = guest_memory();
    const TemporaryFile file(bytes);
    const Result<LoadedKernel> kernel = load_kernel(memory, file.path);
    return kernel ? 0 : kernel.error().code;
}

template <class Change> int elf_error(Change change) {
    ElfImage image;
    change(image);
    return load_error(image.bytes());
}

} // namespace

TEST_CASE("an ELF kernel's segments go to their physical addresses") {
    const GuestMemory memory = guest_memory();
    const TemporaryFile file(ElfImage().bytes());
    Result<LoadedKernel> kernel = load_kernel(memory, file.path);
    REQUIRE(kernel);
    CHECK(kernel->entry == 0x1000000);
    CHECK(kernel->end == 0x1005000);
    CHECK(memcmp(memory.contiguous(0x1000000, 16), "kernel code", 11) == 0);
    CHECK(+kernel->header.header == 0x53726448);
}

TEST_CASE("a broken or hostile ELF kernel is refused") {
    CHECK(elf_error([](ElfImage& i) { i.header.e_machine = EM_386; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.header.e_ident[EI_CLASS] = ELFCLASS32; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.header.e_type = ET_DYN; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.header.e_phnum = 0; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.header.e_phnum = 65000; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.header.e_phoff = UINT64_MAX - 8; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.segment.p_paddr = 0x1000; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.segment.p_paddr = kRam - 0x1000; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.segment.p_paddr = UINT64_MAX - 0xfff; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.segment.p_memsz = 8; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.segment.p_filesz = i.segment.p_memsz = 0x4000; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.segment.p_offset = UINT64_MAX - 4; }) == ENOEXEC);
    CHECK(elf_error([](ElfImage& i) { i.header.e_entry = 0x1004000; }) == ENOEXEC);
    CHECK(load_error("\177EL") == ENOEXEC);
    CHECK(load_error("") == ENOEXEC);
    CHECK(load_error(std::string(4096, 'x')) == ENOEXEC);
}

TEST_CASE("a bzImage goes to its preferred address and is entered 0x200 bytes in") {
    const GuestMemory memory = guest_memory();
    const TemporaryFile file(bzimage(bzimage_header(), 4096));
    Result<LoadedKernel> kernel = load_kernel(memory, file.path);
    REQUIRE(kernel);
    CHECK(kernel->entry == 0x1000200);
    CHECK(kernel->end == 0x1200000);
    CHECK(memcmp(memory.contiguous(0x1000000, 14), "protected mode", 14) == 0);
}

TEST_CASE("a bzImage that is old, truncated or does not fit is refused") {
    setup_header header = bzimage_header();
    header.version = 0x0204;
    CHECK(load_error(bzimage(header, 4096)) == ENOEXEC);
    header = bzimage_header();
    header.xloadflags = 0;
    CHECK(load_error(bzimage(header, 4096)) == ENOEXEC);
    header = bzimage_header();
    header.init_size = 0xffffffff;
    CHECK(load_error(bzimage(header, 4096)) == ENOEXEC);
    header = bzimage_header();
    header.pref_address = UINT64_MAX - 10;
    CHECK(load_error(bzimage(header, 4096)) == ENOEXEC);
    header = bzimage_header();
    header.setup_sects = 255;
    CHECK(load_error(bzimage(header, 4096)) == ENOEXEC);
}

TEST_CASE("an initrd lies page-aligned at the top of RAM, and never over the kernel") {
    const GuestMemory memory = guest_memory();
    const TemporaryFile file(std::string(5000, 'i'));
    LoadedKernel kernel{0x1000000, 0x1005000, bzimage_header()};
    Result<Range> initrd = load_initrd(memory, {0, kRam}, kernel, file.path);
    REQUIRE(initrd);
    CHECK(*initrd == Range{kRam - 8192, 5000});
    CHECK(memcmp(memory.contiguous(initrd->address, 3), "iii", 3) == 0);
    kernel.header.initrd_addr_max = 0x17fffff;
    CHECK(load_initrd(memory, {0, kRam}, kernel, file.path)->address == 0x1800000 - 8192);
    kernel.end = kRam - 4096;
    CHECK(load_initrd(memory, {0, kRam}, kernel, file.path).error().code == ENOMEM);
}

TEST_CASE("a command line that the kernel would cut is refused") {
    const GuestMemory memory = guest_memory();
    LoadedKernel kernel{0, 0, bzimage_header()};
    CHECK(write_command_line(memory, kernel, std::string(2047, 'a')));
    CHECK(write_command_line(memory, kernel, std::string(2048, 'a')).error().code == E2BIG);
    CHECK(write_command_line(memory, kernel, std::string("a\0b", 3)).error().code == EINVAL);
    kernel.header.cmdline_size = 255;
    CHECK(write_command_line(memory, kernel, std::string(256, 'a')).error().code == E2BIG);
}
