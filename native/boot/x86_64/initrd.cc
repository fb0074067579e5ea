// SPDX-License-Identifier: Apache-2.0
#include "boot/x86_64/initrd.h"

#include <algorithm>

#include "boot/x86_64/layout.h"

namespace hrun::boot {

Result<Range> load_initrd(const GuestMemory& memory, const Range& low_ram, const LoadedKernel& kernel,
                          const ImageSource& source) {
    Result<ImageFile> file = ImageFile::open(source);
    if (!file)
        return file.error();
    const uint64_t top = std::min(low_ram.size, uint64_t{kernel.header.initrd_addr_max} + 1);
    if (file->size() > top || ((top - file->size()) & ~(kPageSize - 1)) < kernel.end)
        return Error{ENOMEM, "load initrd " + source.path + " behind the kernel"};
    const Range range{(top - file->size()) & ~(kPageSize - 1), file->size()};
    HRUN_TRY(file->load(0, memory, range.address, range.size));
    return range;
}

} // namespace hrun::boot
