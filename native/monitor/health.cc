// SPDX-License-Identifier: Apache-2.0
#include "monitor/health.h"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "monitor/replace_file.h"

namespace hrun::monitor {

namespace {

constexpr char kName[] = "health.json"; // src/container/container-health.ts knows it too
constexpr char kUnfinished[] = "health.json.new";

} // namespace

// moby, daemon/health.go: within its start period a container that was never healthy may fail without being counted.
bool Health::take(ProbeResult result, std::chrono::milliseconds age) {
    const Status before = status_;
    const bool counts = status_ != Status::kStarting || age >= policy_.start_period;
    if (result.exit_code == 0) {
        failing_streak_ = 0;
        status_ = Status::kHealthy;
    } else if (counts && ++failing_streak_ >= policy_.retries) {
        status_ = Status::kUnhealthy;
    }
    if (results_.size() == kMaxResults)
        results_.pop_front();
    results_.push_back(std::move(result));
    return status_ != before;
}

std::string Health::to_json() const {
    nlohmann::ordered_json log = nlohmann::ordered_json::array();
    for (const ProbeResult& result : results_)
        log.push_back({{"start", result.start},
                       {"end", result.end},
                       {"exitCode", result.exit_code},
                       {"output", result.output}});
    const nlohmann::ordered_json json{{"version", 1},
                                      {"status", health_word(status_)},
                                      {"failingStreak", failing_streak_},
                                      {"log", std::move(log)}};
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string_view health_word(Health::Status status) {
    switch (status) {
    case Health::Status::kHealthy:
        return "healthy";
    case Health::Status::kUnhealthy:
        return "unhealthy";
    default:
        return "starting";
    }
}

// Without room on the disk there is nothing rather than something that was true once.
Result<void> write_health(int directory, const Health& health) {
    auto written = replace_file(directory, kName, kUnfinished, health.to_json(), false);
    if (!written) {
        unlinkat(directory, kUnfinished, 0);
        unlinkat(directory, kName, 0);
    }
    return written;
}

std::string go_duration(std::chrono::milliseconds duration) {
    const auto count = static_cast<uint64_t>(duration.count());
    if (count == 0)
        return "0s";
    if (count < 1000)
        return std::to_string(count) + "ms";
    const uint64_t seconds = count / 1000;
    std::string fraction = std::to_string(1000 + count % 1000);
    fraction[0] = '.';
    fraction.erase(fraction.find_last_not_of('0') + 1);
    std::string text = std::to_string(seconds % 60) + (fraction == "." ? "" : fraction) + "s";
    if (seconds >= 60)
        text = std::to_string(seconds / 60 % 60) + "m" + text;
    return seconds >= 3600 ? std::to_string(seconds / 3600) + "h" + text : text;
}

} // namespace hrun::monitor
