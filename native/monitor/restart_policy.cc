// SPDX-License-Identifier: Apache-2.0
#include "monitor/restart_policy.h"

#include <algorithm>

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstWait = 100ms;
constexpr std::chrono::milliseconds kLongestWait = 1min;
constexpr std::chrono::milliseconds kGoodRun = 10s;

} // namespace

std::optional<std::chrono::milliseconds> Restarts::after(const RunEnd& end) {
    if (!wants_another(end))
        return std::nullopt;
    if (end.duration >= kGoodRun)
        wait_ = 0ms;
    wait_ = wait_ == 0ms ? kFirstWait : std::min(wait_ * 2, kLongestWait);
    ++count_;
    return wait_;
}

bool Restarts::wants_another(const RunEnd& end) const {
    if (end.stopped)
        return false;
    switch (policy_.when) {
    case RestartPolicy::When::kNo:
        return false;
    case RestartPolicy::When::kOnFailure:
        return end.exit_code != 0 && (policy_.maximum_retries == 0 || count_ < policy_.maximum_retries);
    case RestartPolicy::When::kAlways:
    case RestartPolicy::When::kUnlessStopped:
        return true;
    }
    return false;
}

} // namespace hrun::monitor
