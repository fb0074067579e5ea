// SPDX-License-Identifier: Apache-2.0
// A container of no use, started and ended in a machine that waits for its own: what the guest's kernel and agent do for one has then been done
// before. Under software emulation most of a start is the translation of code that runs for the first time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "monitor/agent_connector.h"
#include "monitor/agent_session.h"
#include "monitor/join_link.h"
#include "monitor/machine.h"

namespace hrun::monitor {

class Rehearsal : private AgentEvents {
  public:
    // `done` is called once, and may not destroy it. An error leaves the machine in no state to be used.
    using Done = std::function<void(Result<void>)>;

    // Takes disks, CONFIGURE and START of `container`, whose machine then has none of its own. Loop and container outlive it.
    Rehearsal(EventLoop& loop, Container& container, Done done);

    // There is nothing to rehearse.
    bool is_empty() const { return disks_.empty(); }
    // In a machine that runs, and outlives this.
    void begin(Machine& machine);

  private:
    void plug(Result<Fd> agent);
    void plugged(const Result<void>& done);
    void join();
    void enter(uint32_t port);
    void leave();
    void parted();
    void unplug();
    void unplugged(const Result<void>& done);
    void finish(Result<void> done);

    Result<void> agent_output(uint8_t, std::string_view) override { return {}; }
    void agent_exit(const hrun_exit& exit) override;
    void agent_error(const hrun_error& error, std::string_view message) override;
    void agent_gone(const Error& error) override;

    EventLoop& loop_;
    std::vector<DiskConfig> disks_;
    std::vector<Result<Fd>> files_;
    std::string configure_;
    std::string start_;
    Done done_;
    Machine* machine_ = nullptr;
    AgentConnector connector_;
    size_t changing_ = 0; // disks on their way in or out
    unsigned rounds_ = 0; // that are over
    bool leaving_ = false;
    std::unique_ptr<JoinLink> link_;
    std::optional<AgentSession> session_;
    Timer turn_;  // not in a call of what goes
    Timer limit_; // of it all
};

} // namespace hrun::monitor
