// SPDX-License-Identifier: Apache-2.0
// An eventfd: how ioeventfd, irqfd and vhost-user pass notifications.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"

namespace hrun {

class EventFd {
  public:
    EventFd() = default;
    // Takes over an eventfd made elsewhere; the caller must not trust it to be one: signal and drain never block
    // only if it is non-blocking, so a peer's descriptor is made so first.
    explicit EventFd(Fd fd) : fd_(std::move(fd)) {}
    static Result<EventFd> create();

    int get() const { return fd_.get(); }
    bool valid() const { return fd_.valid(); }
    // Adds one. A full counter is as good as a signalled one.
    void signal() const;
    // Clears the counter. False when it was not signalled.
    bool drain() const;

  private:
    Fd fd_;
};

} // namespace hrun
