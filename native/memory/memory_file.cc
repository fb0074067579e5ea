// SPDX-License-Identifier: Apache-2.0
#include "memory/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>

namespace hrun {

Result<Fd> create_memory_file(const char* name, uint64_t size) {
    Fd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd.valid())
        return Error::last("create guest memory file");
    if (ftruncate(fd.get(), static_cast<off_t>(size)) < 0)
        return Error::last("size guest memory file");
    if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return Error::last("seal guest memory file");
    return fd;
}

Result<void> require_unshrinkable(int fd) {
    const int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0)
        return Error::last("read seals of guest memory");
    if (!(seals & F_SEAL_SHRINK))
        return Error{EPERM, "use guest memory that is not sealed against shrinking"};
    return {};
}

} // namespace hrun
