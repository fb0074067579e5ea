// SPDX-License-Identifier: Apache-2.0
// What the probes of a container have found, and what follows from it, as Docker has it; health.json (docs/monitor.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hrun::monitor {

// When the container is probed, and what failing means. Docker's names.
struct HealthPolicy {
    std::chrono::milliseconds interval{};
    std::chrono::milliseconds timeout{};
    std::chrono::milliseconds start_period{};
    std::chrono::milliseconds start_interval{};
    uint32_t retries = 0;

    // The wait before the next probe of a container that is `starting` or not, that long after its start.
    std::chrono::milliseconds wait(bool starting, std::chrono::milliseconds age) const {
        return starting && age < start_period ? start_interval : interval;
    }
};

struct ProbeResult {
    std::string start; // RFC 3339
    std::string end;
    int exit_code; // of the probe's process; -1: it did not come to its own end
    std::string output;
};

class Health {
  public:
    enum class Status : uint32_t { kStarting = 1, kHealthy = 2, kUnhealthy = 3 };

    static constexpr size_t kMaxResults = 5;

    explicit Health(const HealthPolicy& policy) : policy_(policy) {}

    // Takes the result of a probe that began `age` after the container's process. True when the status has changed.
    bool take(ProbeResult result, std::chrono::milliseconds age);
    // Nobody probes any more: Docker then calls the container unhealthy, whatever it was.
    void suspend() { status_ = Status::kUnhealthy; }

    Status status() const { return status_; }
    uint32_t failing_streak() const { return failing_streak_; }
    // Text of health.json. Bytes of an output that are not UTF-8 become U+FFFD.
    std::string to_json() const;

  private:
    const HealthPolicy& policy_;
    Status status_ = Status::kStarting;
    uint32_t failing_streak_ = 0;
    std::deque<ProbeResult> results_; // the last ones, oldest first
};

// "healthy", as Docker's API has it.
std::string_view health_word(Health::Status status);

// Replaces health.json in `directory` atomically. It is worth nothing after a crash of the host, so nothing is synced.
Result<void> write_health(int directory, const Health& health);

// Go's text of a duration, "1m30s", as it stands in Docker's messages.
std::string go_duration(std::chrono::milliseconds duration);

} // namespace hrun::monitor
