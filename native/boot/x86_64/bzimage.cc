// SPDX-License-Identifier: Apache-2.0
// bzImage: Documentation/arch/x86/boot.rst of Linux, "64-bit boot protocol". The protected-mode part goes to its
// preferred address and is entered 0x200 bytes in.
#include <cstring>

#include "boot/x86_64/kernel.h"
#include "boot/x86_64/layout.h"

namespace hrun::boot {

namespace {

constexpr uint64_t kHeaderOffset = 0x1f1;
constexpr uint32_t kSetupMagic = 0x53726448; // "HdrS"
constexpr uint16_t kOldestVersion = 0x020c;  // the first with xloadflags
constexpr uint64_t kSectorSize = 512;
constexpr uint64_t kEntry64 = 0x200;

Error broken(const ImageFile& file, const char* what) {
    return Error{ENOEXEC, "load kernel " + file.path() + " (" + what + ")"};
}

Result<void> check(const ImageFile& file, const setup_header& header) {
    if (header.boot_flag != 0xaa55 || header.header != kSetupMagic)
        return broken(file, "neither an ELF vmlinux nor a bzImage");
    if (header.version < kOldestVersion || !(header.xloadflags & XLF_KERNEL_64) ||
        !(header.loadflags & LOADED_HIGH))
        return broken(file, "no 64-bit entry point");
    return {};
}

} // namespace

Result<LoadedKernel> load_bzimage(const GuestMemory& memory, const ImageFile& file) {
    setup_header header{};
    HRUN_TRY(file.read(kHeaderOffset, &header, sizeof header));
    HRUN_TRY(check(file, header));
    const uint64_t setup_sectors =
        header.setup_sects ? header.setup_sects : 4; // 0 means 4, for old kernels' sake
    const uint64_t image = (setup_sectors + 1) * kSectorSize;
    if (image + kEntry64 >= file.size())
        return broken(file, "no kernel behind its setup code");
    const uint64_t size = file.size() - image;
    const uint64_t address = header.relocatable_kernel ? header.pref_address : kHighMemory;
    const uint64_t room = std::max<uint64_t>(header.init_size, size);
    if (address < kHighMemory || !memory.contiguous(address, room))
        return broken(file, "does not fit into RAM; more memory may help");
    HRUN_TRY(file.load(image, memory, address, size));
    header.code32_start = static_cast<uint32_t>(address);
    return LoadedKernel{address + kEntry64, address + room, header};
}

} // namespace hrun::boot
