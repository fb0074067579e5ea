// SPDX-License-Identifier: Apache-2.0
// The monitor's part of a checkpoint (docs/checkpoint.md): has the guest stand still, its machine saved and its memory handed to the
// client that asks, who copies memory and disk meanwhile; then all goes on, or ends.
#pragma once

#include <functional>
#include <string_view>

#include "base/event_loop.h"
#include "monitor/agent_connector.h"
#include "monitor/client.h"
#include "monitor/machine.h"

namespace hrun::monitor {

class Checkpoint {
  public:
    struct Events {
        std::function<void()> suspend; // the guest is to be suspended; suspended() has the answer
        std::function<void()> wake;    // the machine was not saved: over the connection that there is
        // Another vsock device leads to the agent: over this socket it is to be woken, or told to end.
        std::function<void(Fd socket, bool go_on)> reconnected;
        std::function<void(std::string why)> failed; // the machine is of no use any more
    };

    // References outlive it.
    Checkpoint(EventLoop& loop, Machine& machine, Events events)
        : loop_(loop), machine_(machine), events_(std::move(events)), connector_(loop) {}

    // Of a client; the guest runs. `state`: the file for the machine's state.
    void begin(Client& client, Fd state);
    void release(Client& client, bool go_on);
    // The client is gone: without it nothing is saved, and all goes on.
    void forget(const Client& client);

    // From begin() until awake(): the container neither gets nor says anything.
    bool active() const { return step_ != Step::kNone; }
    // The connection to the agent is to be lost, for its device is.
    bool parts_connection() const {
        return step_ == Step::kSaving || step_ == Step::kSaved || (step_ == Step::kWaking && parted_);
    }
    // The guest's answer; empty when it stands still.
    Result<void> suspended(std::string_view why);
    // The guest runs again. EPROTO when it was not asked to.
    Result<void> awake();
    // The machine ends.
    void cancel();

  private:
    enum class Step { kNone, kSuspending, kSaving, kSaved, kWaking };

    void saved(const Result<void>& done);
    void leave(bool go_on);
    void refuse(const Error& error);

    EventLoop& loop_;
    Machine& machine_;
    Events events_;
    AgentConnector connector_;
    Step step_ = Step::kNone;
    Client* client_ = nullptr; // who is told; null once gone, or told
    Fd state_;
    bool parted_ = false;      // from the guest, whose vsock device is another
    bool handed_over_ = false; // the client has the memory, and is to release it
    Timer limit_;
};

} // namespace hrun::monitor
