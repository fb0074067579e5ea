// SPDX-License-Identifier: Apache-2.0
// Probes a running container from time to time and tells what comes of it: health.json, and the keeper's journal.
#pragma once

#include <memory>
#include <string>

#include "base/event_loop.h"
#include "monitor/health.h"
#include "monitor/keeper_link.h"
#include "monitor/machine.h"
#include "monitor/probe.h"

namespace hrun::monitor {

class HealthCheck {
  public:
    // `payload`: of START, the probe's process. All references outlive the check.
    HealthCheck(EventLoop& loop, KeeperLink& keeper, const HealthPolicy& policy, const std::string& payload)
        : loop_(loop), keeper_(keeper), policy_(policy), payload_(payload), health_(policy) {}

    // The container's process runs: its health is `starting`, and the first probe follows.
    void start(Machine& machine);
    // It stands still: a probe that runs is killed and does not count.
    void suspend();
    void resume();
    // No probe runs.
    bool idle() const { return probe_ == nullptr; }
    // The container ends, and its probe with it.
    void stop();

  private:
    void schedule();
    void probe();
    void take(const Probe::Done& done);
    void save();
    std::chrono::milliseconds age() const;

    EventLoop& loop_;
    KeeperLink& keeper_;
    const HealthPolicy& policy_;
    const std::string& payload_;
    Health health_;
    Machine* machine_ = nullptr; // once started
    EventLoop::Clock::time_point started_;
    std::unique_ptr<Probe> probe_;          // that runs
    std::chrono::milliseconds probe_age_{}; // of the container when it began
    bool suspended_ = false;
    bool discarded_ = false; // what the running probe finds does not count
    bool write_failed_ = false;
    Timer next_;
};

} // namespace hrun::monitor
