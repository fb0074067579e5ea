// SPDX-License-Identifier: Apache-2.0
// Two connections that have each other's bytes, until both have ended.
#pragma once

#include <functional>
#include <string>

#include "base/event_loop.h"

namespace hrun::monitor {

class StreamRelay {
  public:
    using Gone = std::function<void()>;

    // Sockets that do not block; one may still be connecting. `gone` is called once, and may destroy the relay: both ends have ended, or
    // one has failed.
    StreamRelay(EventLoop& loop, Fd one, Fd other, Gone gone);

  private:
    struct Side {
        Fd socket;
        Watch watch;
        std::string unsent;     // of what the other side said
        bool is_open = false;   // it is connected, or will never be
        bool has_ended = false; // it says no more
        bool is_told = false;   // that the other says no more
    };

    void pump();
    bool pass_on(Side& from, Side& to);

    EventLoop& loop_;
    Side one_, other_;
    Gone gone_;
    Timer turn_;
};

} // namespace hrun::monitor
