// SPDX-License-Identifier: Apache-2.0
// When a container whose process has ended is started again, and after which wait: as Docker's restart manager has it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace hrun::monitor {

struct RestartPolicy {
    enum class When { kNo, kOnFailure, kAlways, kUnlessStopped };
    When when = When::kNo;
    uint32_t maximum_retries = 0; // of kOnFailure; 0: no limit
};

// How a run of the container's process ended.
struct RunEnd {
    uint32_t exit_code;
    bool stopped; // by a client: STOP, or its stop signal or SIGKILL
    std::chrono::milliseconds duration;
};

class Restarts {
  public:
    explicit Restarts(RestartPolicy policy) : policy_(policy) {}

    // The wait before the next run, which is counted then; nothing when that was the last. 100 ms at first, twice as long
    // each time, at most a minute; from the start again after a run of 10 s.
    std::optional<std::chrono::milliseconds> after(const RunEnd& end);
    // What holds from the next end on.
    void set_policy(RestartPolicy policy) { policy_ = policy; }
    // Runs after the first.
    uint32_t count() const { return count_; }

  private:
    bool wants_another(const RunEnd& end) const;

    RestartPolicy policy_;
    uint32_t count_ = 0;
    std::chrono::milliseconds wait_{};
};

} // namespace hrun::monitor
