// SPDX-License-Identifier: Apache-2.0
// What clients ask of a VM, and the checkpoints that they have made.
#include "monitor/vm.h"

#include <signal.h>

#include "monitor/configure_payload.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kProbePause = 10ms;
constexpr size_t kMaxSignals = 16;

} // namespace

void Vm::client_attached(Client& client) {
    client.attach(outputs_, phase_ == Phase::kStarting ? HRUN_STATE_STARTING : HRUN_STATE_RUNNING);
    client.send(stages_);
    if (pid_)
        client.send(frame_of(HRUN_STARTED, *pid_));
    if (exit_)
        client.finish(verdict_);
    schedule();
}

void Vm::client_signal(uint32_t number) {
    if (ends_restarts(config_, number))
        stays_ended_ = state_.stopped = true;
    if (process_runs())
        agent_.signal(number);
    else if ((phase_ == Phase::kStarting || checkpoint_.active()) && signals_.size() < kMaxSignals)
        signals_.push_back(number);
}

void Vm::client_resize(std::string_view rows_and_columns) {
    if (process_runs())
        agent_.resize(rows_and_columns);
    else
        size_ = rows_and_columns;
}

// The answer goes to every client, so that each knows; to this one alone when nothing changes.
void Vm::client_pause(Client& client, bool paused) {
    if (!process_runs())
        return client.send(not_now());
    if (paused == (phase_ == Phase::kPaused))
        client.send(frame(paused ? HRUN_PAUSED : HRUN_RESUMED));
    else if (paused)
        agent_.pause();
    else
        agent_.resume();
}

// A VM that has not started its process is simply ended, as if SIGKILL had hit it.
void Vm::client_stop(const hrun_stop& stop) {
    stays_ended_ = true;
    state_.stopped |= !(stop.flags & HRUN_STOP_FOR_HOST);
    if (phase_ == Phase::kStarting)
        return conclude(kKilled, frame_of(HRUN_EXIT, kKilled));
    if (runs() && checkpoint_.active()) {
        stop_ = stop;
        return;
    }
    if (!process_runs())
        return;
    agent_.signal(stop.signal);
    if (phase_ == Phase::kPaused)
        agent_.resume(); // so that it can heed the signal
    killer_ = loop_.after(std::chrono::milliseconds(stop.milliseconds), [this] {
        agent_.signal(SIGKILL);
        killer_ = loop_.after(kKillLimit, [this] {
            fail(HRUN_ERROR_VM, ETIMEDOUT,
                 "the container's process did not end on SIGKILL; the machine was ended");
        });
    });
}

void Vm::client_plug(Client& client, const hrun_plug& plug, std::vector<Fd> descriptors) {
    if (!process_runs())
        return client.send(not_now());
    if (tenants_.has(plug.slot))
        return client.send(refusal({EBUSY, "a disk of a container that shares the machine is in the slot"}));
    nic_changes_.plug(client, plug, std::move(descriptors));
}

void Vm::client_unplug(Client& client, uint32_t slot) {
    process_runs() ? nic_changes_.unplug(client, slot) : client.send(not_now());
}

void Vm::client_joins(Client& client, JoinRequest request) {
    const bool begins = request.step == JoinRequest::Step::kDisk || request.step == JoinRequest::Step::kJoin;
    if (process_runs() || !begins)
        tenants_.handle(client, std::move(request));
    else if (request.step == JoinRequest::Step::kJoin)
        client.send(refusal({ESRCH, "cannot join network of a non running container"}));
}

std::string Vm::not_now() const {
    return runs() ? refusal({EBUSY, "a checkpoint of the container is being made"}) : nothing_runs();
}

void Vm::client_ready() {
    schedule();
}

void Vm::client_gone(Client& client) {
    nic_changes_.forget(client);
    checkpoint_.forget(client);
    tenants_.forget(client);
    control_.remove(client);
    schedule();
}

// ---- checkpoints

Checkpoint::Events Vm::checkpoint_events() {
    return {[this] { suspend_guest(); },
            [this] {
                if (auto wake = wake_now())
                    agent_.wake(*wake);
            },
            [this](Fd socket, bool go_on) { reconnect(std::move(socket), go_on); },
            [this](std::string why) { fail(HRUN_ERROR_VM, EIO, std::move(why)); }};
}

void Vm::client_checkpoint(Client& client, Fd state) {
    if (!process_runs())
        return client.send(not_now());
    if (phase_ == Phase::kPaused)
        return client.send(refusal({EBUSY, "the container is paused"}));
    if (!tenants_.empty())
        return client.send(refusal({EBUSY, "another container shares its machine"}));
    checkpoint_.begin(client, std::move(state));
}

// A probe is an exec, which would be in the way.
void Vm::suspend_guest() {
    if (health_)
        health_->suspend();
    if (health_ && !health_->idle())
        idle_ = loop_.after(kProbePause, [this] { suspend_guest(); });
    else
        agent_.suspend(config_.vsock_slot);
}

Result<void> Vm::agent_suspended(std::string_view why) {
    HRUN_TRY(checkpoint_.suspended(why));
    if (health_ && !checkpoint_.active())
        health_->resume();
    if (!checkpoint_.active())
        tell_process();
    return {};
}

void Vm::reconnect(Fd socket, bool go_on) {
    const auto begun = go_on ? wake(std::move(socket)) : agent_.begin(std::move(socket), {}, {});
    if (!begun)
        return fail(HRUN_ERROR_HOST, static_cast<uint32_t>(begun.error().code), begun.error().message());
    if (go_on)
        return;
    stays_ended_ = state_.stopped = true;
    const hrun_exit exit = kKilled;
    conclude(exit, frame_of(HRUN_EXIT, exit));
}

// The guest may send what there is room for here.
Result<hrun_wake> Vm::wake_now() const {
    auto wake = wake_payload();
    for (size_t i = 0; wake && i < outputs_.size(); ++i)
        wake->credit[i] -= static_cast<uint32_t>(outputs_[i].end() - outputs_[i].begin());
    return wake;
}

Result<void> Vm::wake(Fd socket) {
    auto wake = wake_now();
    if (!wake)
        return wake.error();
    // A container that is left running has its own.
    const std::string identity =
        phase_ == Phase::kStarting ? identity_of(container_.configure) : std::string();
    return agent_.begin_awake(std::move(socket), *wake, identity);
}

Result<void> Vm::agent_awake(uint32_t pid) {
    if (container_.checkpoint && phase_ == Phase::kStarting) {
        agent_started(pid);
        return {};
    }
    HRUN_TRY(checkpoint_.awake());
    if (health_)
        health_->resume();
    tell_process();
    return {};
}

} // namespace hrun::monitor
