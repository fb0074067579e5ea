// SPDX-License-Identifier: Apache-2.0
#include "monitor/disk_file.h"

#include <fcntl.h>
#include <sys/file.h>

namespace hrun::monitor {

Result<Fd> open_disk(const DiskConfig& disk) {
    Fd file(open(disk.path.c_str(), (disk.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
    if (!file.valid())
        return Error::last("open disk " + disk.path);
    // Two kernels with one file system would destroy it. The lock lives as long as anybody has the file open.
    if (disk.exclusive && flock(file.get(), LOCK_EX | LOCK_NB) < 0)
        return Error{errno == EWOULDBLOCK ? EBUSY : errno,
                     "use " + disk.path + ", which another running container has"};
    return file;
}

std::string disk_failure(const std::string& path, bool no_space) {
    if (no_space)
        return "no space left on the host for " + path + "; free some and start again";
    return "input/output error on " + path;
}

} // namespace hrun::monitor
