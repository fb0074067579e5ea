// SPDX-License-Identifier: Apache-2.0
// Reaches the agent's port as soon as the guest listens there.
#pragma once

#include <functional>

#include "base/event_loop.h"
#include "base/fd.h"
#include "base/result.h"
#include "monitor/machine.h"

namespace hrun::monitor {

class AgentConnector {
  public:
    using Done = std::function<void(Result<Fd>)>;

    explicit AgentConnector(EventLoop& loop) : loop_(loop) {}

    // Calls `done` once, from the loop: with a connected socket, or with what the host lacks. `machine` outlives the attempt.
    void connect(Machine& machine, Done done);
    // Forgets the attempt; `done` is not called any more.
    void cancel();

  private:
    void try_once();
    void finish(Result<Fd> socket);

    EventLoop& loop_;
    Machine* machine_ = nullptr;
    Done done_;
    Timer retry_;
};

} // namespace hrun::monitor
