// SPDX-License-Identifier: Apache-2.0
#include "monitor/disk_file.h"

#include <fcntl.h>

#include "base/file_lock.h"

namespace hrun::monitor {

namespace {

// A machine that is just ending lets go of its container a moment before its disks: on a busy host a second.
constexpr std::chrono::seconds kLockLimit{3};

} // namespace

Result<Fd> open_disk(const DiskConfig& disk) {
    Fd file(open(disk.path.c_str(), (disk.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
    if (!file.valid())
        return Error::last("open disk " + disk.path);
    // Two kernels with one file system would destroy it. The lock lives as long as anybody has the file open.
    if (!disk.exclusive)
        return file;
    const auto locked = lock_exclusively(file.get(), kLockLimit);
    if (!locked)
        return Error{locked.error().code == EWOULDBLOCK ? EBUSY : locked.error().code,
                     "use " + disk.path + ", which another running container has"};
    return file;
}

std::string disk_failure(const std::string& path, bool no_space) {
    if (no_space)
        return "no space left on the host for " + path + "; free some and start again";
    return "input/output error on " + path;
}

} // namespace hrun::monitor
