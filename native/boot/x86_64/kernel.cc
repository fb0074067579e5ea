// SPDX-License-Identifier: Apache-2.0
#include "boot/x86_64/kernel.h"

#include <elf.h>

#include <cstring>

namespace hrun::boot {

Result<LoadedKernel> load_kernel(const GuestMemory& memory, const ImageSource& source) {
    Result<ImageFile> file = ImageFile::open(source);
    if (!file)
        return file.error();
    char magic[SELFMAG];
    HRUN_TRY(file->read(0, magic, sizeof magic));
    if (memcmp(magic, ELFMAG, SELFMAG) == 0)
        return load_elf(memory, *file);
    return load_bzimage(memory, *file);
}

} // namespace hrun::boot
