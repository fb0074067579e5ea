// SPDX-License-Identifier: Apache-2.0
// A machine that waits for its container: the copy of a template in the jail of any monitor, rehearsed (docs/pool.md), or on its way still
// (docs/head-start.md). When the keeper hands a container over, what follows is that container's Vm.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "monitor/container.h"
#include "monitor/hand_over.h"
#include "monitor/machine.h"
#include "monitor/rehearsal.h"
#include "monitor/vm.h"

namespace hrun::monitor {

class WaitingMachine : private MachineEvents {
  public:
    // `container` has the template, and what is rehearsed.
    WaitingMachine(EventLoop& loop, Container container);

    // Nobody is listened to but the keeper. The loop stops when the machine is of no use.
    void start(Fd client);
    // SIGTERM: a machine that waits goes; a container is stopped.
    void stop();

  private:
    Result<void> start_machine();
    void rehearsed(const Result<void>& done);
    Result<void> await_container();
    void receive();
    Result<void> become(HandOver what);
    // Ends it; until it has been rehearsed, its template may be to blame.
    void fail(const std::string& why);
    void give_up(const std::string& why);

    void machine_gone() override { fail(machine_->why_gone()); }
    void machine_failed(uint32_t, std::string message) override { fail(message); }
    void machine_disk_failed(unsigned, bool) override { give_up("a disk cannot be used"); }

    EventLoop& loop_;
    Container container_; // without one; the machine's from its start on
    std::unique_ptr<Machine> machine_;
    Rehearsal rehearsal_;
    HandOverReader reader_;
    Watch keeper_;
    Timer limit_; // of the copy
    std::optional<Vm> vm_;
    bool started_ = false;
    bool rehearsed_ = false;
};

} // namespace hrun::monitor
