// SPDX-License-Identifier: Apache-2.0
// One end's view of JOIN and PART (initrd/protocol.h): of a monitor that asks another for a place in its machine, and of that one, which
// asks its guest's agent. Both take what comes for hostile.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/fd.h"
#include "monitor/frames.h"
#include "monitor/outbox.h"

namespace hrun::monitor {

class JoinLink {
  public:
    struct Events {
        std::function<void(uint32_t answer)> joined; // once at most
        std::function<void()> parted;                // once at most, and nothing follows
        std::function<void(uint32_t kind, std::string message)> failed;
        std::function<void()> gone; // the other end has closed, or broken the contract: nothing follows
    };

    // An event's function may not destroy the link.
    JoinLink(EventLoop& loop, Events events) : loop_(loop), events_(std::move(events)) {}

    // Talks over `socket`, sending `frames` first.
    Result<void> begin(Fd socket, std::string_view frames);
    bool open() const { return socket_.valid(); }
    // Sends PART.
    void part();
    // Sends AGENT with a descriptor, which stays the caller's.
    Result<void> pass(int descriptor);

  private:
    void flush();
    void receive();
    void close();
    Result<void> handle(const Frame& frame);

    EventLoop& loop_;
    Events events_;
    Fd socket_;
    Watch watch_;
    FrameReader reader_;
    Outbox outbox_;
    bool greeted_ = false;
    bool joined_ = false;
    bool parted_ = false;
};

} // namespace hrun::monitor
