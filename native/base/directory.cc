// SPDX-License-Identifier: Apache-2.0
#include "base/directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>

#include "base/fd.h"

namespace hrun {

Result<void> sync_directory(int directory) {
    const Fd here(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!here.valid() || fsync(here.get()) < 0)
        return Error::last("sync a directory");
    return {};
}

Result<std::string> path_of_directory(int directory) {
    char path[PATH_MAX];
    const std::string link = "/proc/self/fd/" + std::to_string(directory);
    const ssize_t length = readlink(link.c_str(), path, sizeof path);
    if (length < 0 || static_cast<size_t>(length) == sizeof path)
        return Error::last("find a directory");
    return std::string(path, static_cast<size_t>(length));
}

} // namespace hrun
