// SPDX-License-Identifier: Apache-2.0
#include "base/event_fd.h"

#include <sys/eventfd.h>

namespace hrun {

Result<EventFd> EventFd::create() {
    Fd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd.valid())
        return Error::last("create eventfd");
    return EventFd(std::move(fd));
}

void EventFd::signal() const {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof one);
}

bool EventFd::drain() const {
    uint64_t count;
    return ::read(fd_.get(), &count, sizeof count) == sizeof count;
}

} // namespace hrun
