// SPDX-License-Identifier: Apache-2.0
// The journal's lines about the probes of one run of a container. They come at a monitor's word, which may have been taken over by its
// guest: no more of them are written than its probes can be.
#pragma once

#include <chrono>
#include <string>

#include "monitor/event_journal.h"
#include "monitor/health.h"
#include "monitor/keeper_link.h"

namespace hrun::monitor {

class ProbeJournal {
  public:
    using Clock = std::chrono::steady_clock;

    // `command`: the probe's, as events name it. `journal` outlives this.
    ProbeJournal(const EventJournal& journal, const HealthPolicy& policy, std::string command);

    // Writes what kProbeBegun, kProbeEnded or kHealth tells: exec_create and exec_start, exec_die, health_status.
    void write(const KeeperMessage& message, Clock::time_point now = Clock::now());

  private:
    void begin(Clock::time_point now);
    void tell_health(uint32_t status);

    const EventJournal& journal_;
    std::string command_;
    std::chrono::milliseconds least_gap_; // between two probes
    Clock::time_point last_begin_;
    bool begun_ = false;
    std::string exec_id_;     // of a probe whose end has not been told
    bool health_due_ = false; // a probe may change it once
};

} // namespace hrun::monitor
