// SPDX-License-Identifier: Apache-2.0
#include "monitor/disk_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

namespace hrun::monitor {

namespace {

constexpr int kLockTries = 30;
constexpr timespec kLockPause{0, 10000000};

// A machine that is just ending lets go of its container a moment before its disks: it is waited for.
bool take_exclusively(int file) {
    for (int i = 0; i < kLockTries; ++i) {
        if (flock(file, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK)
            return false;
        nanosleep(&kLockPause, nullptr);
    }
    errno = EWOULDBLOCK;
    return false;
}

} // namespace

Result<Fd> open_disk(const DiskConfig& disk) {
    Fd file(open(disk.path.c_str(), (disk.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
    if (!file.valid())
        return Error::last("open disk " + disk.path);
    // Two kernels with one file system would destroy it. The lock lives as long as anybody has the file open.
    if (disk.exclusive && !take_exclusively(file.get()))
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
