// SPDX-License-Identifier: Apache-2.0
#include "monitor/probe_journal.h"

#include <sys/random.h>

#include <algorithm>
#include <utility>

namespace hrun::monitor {

namespace {

constexpr size_t kIdBytes = 32;
constexpr uint32_t kCodeMask = 0xff;
constexpr char kHex[] = "0123456789abcdef";

std::string new_exec_id() {
    unsigned char random[kIdBytes]{};
    [[maybe_unused]] const ssize_t got = getrandom(random, sizeof random, 0); // never short, random(7)
    std::string id;
    for (const unsigned char byte : random)
        (id += kHex[byte >> 4]) += kHex[byte & 15];
    return id;
}

// A message takes a moment to come: half of what is between two probes is enough.
std::chrono::milliseconds least_gap(const HealthPolicy& policy) {
    const bool two = policy.start_period > std::chrono::milliseconds();
    return (two ? std::min(policy.interval, policy.start_interval) : policy.interval) / 2;
}

} // namespace

ProbeJournal::ProbeJournal(const EventJournal& journal, const HealthPolicy& policy, std::string command)
    : journal_(journal), command_(std::move(command)), least_gap_(least_gap(policy)) {}

void ProbeJournal::write(const KeeperMessage& message, Clock::time_point now) {
    switch (message.request) {
    case KeeperRequest::kProbeBegun:
        return begin(now);
    case KeeperRequest::kProbeEnded:
        if (const std::string id = std::exchange(exec_id_, ""); !id.empty())
            journal_.write("exec_die",
                           {{"execID", id}, {"exitCode", std::to_string(message.argument & kCodeMask)}});
        return;
    case KeeperRequest::kHealth:
        return tell_health(message.argument);
    default:
        return;
    }
}

void ProbeJournal::begin(Clock::time_point now) {
    if (begun_ && now - last_begin_ < least_gap_)
        return;
    begun_ = health_due_ = true;
    last_begin_ = now;
    exec_id_ = new_exec_id();
    journal_.write("exec_create: " + command_, {{"execID", exec_id_}});
    journal_.write("exec_start: " + command_, {{"execID", exec_id_}});
}

void ProbeJournal::tell_health(uint32_t status) {
    const auto known = static_cast<Health::Status>(status);
    const bool is_verdict = known == Health::Status::kHealthy || known == Health::Status::kUnhealthy;
    if (is_verdict && std::exchange(health_due_, false))
        journal_.write("health_status: " + std::string(health_word(known)));
}

} // namespace hrun::monitor
