// SPDX-License-Identifier: Apache-2.0
#include "boot/x86_64/zero_page.h"

#include <algorithm>

#include "boot/x86_64/layout.h"

namespace hrun::boot {

namespace {
constexpr uint8_t kLoaderUndefined = 0xff; // type_of_loader of loaders without a number of their own
}

Result<void> write_command_line(const GuestMemory& memory, const LoadedKernel& kernel,
                                const std::string& line) {
    const uint64_t limit = std::min<uint64_t>(kernel.header.cmdline_size, kCommandLineMax - 1);
    if (line.size() > limit)
        return Error{E2BIG, "pass a kernel command line of " + std::to_string(line.size()) +
                                " bytes (limit " + std::to_string(limit) + ")"};
    if (line.find('\0') != std::string::npos)
        return Error{EINVAL, "pass a kernel command line with a NUL byte"};
    if (!memory.write(kCommandLine, line.c_str(), line.size() + 1))
        return Error{ENOMEM, "write the kernel command line"};
    return {};
}

Result<void> write_zero_page(const GuestMemory& memory, const LoadedKernel& kernel, const Range& initrd,
                             const std::vector<E820Entry>& e820) {
    boot_params params{};
    params.hdr = kernel.header;
    params.hdr.type_of_loader = kLoaderUndefined;
    params.hdr.cmd_line_ptr = static_cast<uint32_t>(kCommandLine);
    params.hdr.ramdisk_image = static_cast<uint32_t>(initrd.address); // below 4 GiB: load_initrd
    params.hdr.ramdisk_size = static_cast<uint32_t>(initrd.size);
    if (e820.size() > E820_MAX_ENTRIES_ZEROPAGE)
        return Error{E2BIG, "write the e820 map"};
    params.e820_entries = static_cast<uint8_t>(e820.size());
    for (size_t i = 0; i < e820.size(); ++i)
        params.e820_table[i] = {e820[i].address, e820[i].size, static_cast<uint32_t>(e820[i].type)};
    if (!memory.write(kZeroPage, &params, sizeof params))
        return Error{ENOMEM, "write the zero page"};
    return {};
}

} // namespace hrun::boot
