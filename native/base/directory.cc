// SPDX-License-Identifier: Apache-2.0
#include "base/directory.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

namespace hrun {

Result<void> sync_directory(int directory) {
    const Fd here(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!here.valid() || fsync(here.get()) < 0)
        return Error::last("sync a directory");
    return {};
}

} // namespace hrun
