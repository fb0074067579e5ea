// SPDX-License-Identifier: Apache-2.0
#include "base/file_lock.h"

#include <sys/file.h>

#include <cerrno>
#include <thread>

namespace hrun {

Result<void> lock_exclusively(int file, std::chrono::milliseconds limit) {
    constexpr std::chrono::milliseconds kPause{10};
    for (;; limit -= kPause) {
        if (flock(file, LOCK_EX | LOCK_NB) == 0)
            return {};
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK || limit < kPause)
            return Error::last("lock");
        std::this_thread::sleep_for(kPause);
    }
}

} // namespace hrun
