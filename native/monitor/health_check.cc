// SPDX-License-Identifier: Apache-2.0
#include "monitor/health_check.h"

#include <cstdio>

#include "base/unix_socket.h"
#include "monitor/container.h"

namespace hrun::monitor {

namespace {

// What is written waits in the socket until the guest has accepted the connection; if it refuses, the socket ends.
Result<Fd> connect_agent(Machine& machine) {
    auto pair = unix_pair();
    if (!pair)
        return pair.error();
    HRUN_TRY(machine.connect(HRUN_AGENT_PORT, std::move(pair->second), [](Result<virtio::VsockKey>) {}));
    return std::move(pair->first);
}

} // namespace

void HealthCheck::start(Machine& machine) {
    machine_ = &machine;
    started_ = EventLoop::Clock::now();
    save();
    schedule();
}

void HealthCheck::suspend() {
    suspended_ = true;
    next_.reset();
    discarded_ = probe_ != nullptr;
    if (probe_)
        probe_->cancel();
    health_.suspend();
    save();
}

void HealthCheck::resume() {
    suspended_ = false;
    if (!probe_)
        schedule();
}

void HealthCheck::stop() {
    suspended_ = true;
    next_.reset();
    probe_.reset();
}

// From the end of a probe, or the beginning, to the next probe.
void HealthCheck::schedule() {
    const bool starting = health_.status() == Health::Status::kStarting;
    next_ = loop_.after(policy_.wait(starting, age()), [this] { probe(); });
}

void HealthCheck::probe() {
    probe_age_ = age();
    keeper_.tell(KeeperRequest::kProbeBegun);
    probe_ = std::make_unique<Probe>(loop_, [this](const Probe::Done& done) { take(done); });
    probe_->begin(connect_agent(*machine_), payload_, policy_.timeout);
}

void HealthCheck::take(const Probe::Done& done) {
    probe_.reset();
    if (done.ended)
        keeper_.tell(KeeperRequest::kProbeEnded, done.exit_code);
    if (!std::exchange(discarded_, false)) {
        if (health_.take(done.result, probe_age_))
            keeper_.tell(KeeperRequest::kHealth, static_cast<uint32_t>(health_.status()));
        save();
    }
    if (!suspended_)
        schedule();
}

void HealthCheck::save() {
    const auto written = write_health(kContainerDirectory, health_);
    if (!written && !std::exchange(write_failed_, true))
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", written.error().message().c_str());
}

std::chrono::milliseconds HealthCheck::age() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(EventLoop::Clock::now() - started_);
}

} // namespace hrun::monitor
