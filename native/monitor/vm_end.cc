// SPDX-License-Identifier: Apache-2.0
// How a VM ends, whatever ends it.
#include "monitor/vm.h"

#include <signal.h>

#include "monitor/clock.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kShutdownLimit = 10s;
constexpr auto kTellLimit = 2s; // for clients to hear of an end that another run follows

// As a shell and Docker have it (enum hrun_error_kind in initrd/protocol.h).
uint32_t exit_code_of(uint32_t kind) {
    switch (kind) {
    case HRUN_ERROR_NOT_FOUND:
        return 127;
    case HRUN_ERROR_NOT_EXECUTABLE:
    case HRUN_ERROR_CWD:
    case HRUN_ERROR_START:
        return 126;
    default:
        return 125;
    }
}

} // namespace

// Nobody has been told anything yet: clients wait for whoever serves them. What was in the way of the machine's start may not be
// the template's fault: then the boot tells.
void Vm::boot_instead(const std::string& why, bool spoilt) {
    dprintf(STDERR_FILENO, "hrun-vmm: started again, for it cannot start from its template: %s\n",
            why.c_str());
    phase_ = Phase::kGone;
    limit_.reset();
    connector_.cancel();
    machine_->kill();
    machine_->close();
    container_.keeper->ask(KeeperRequest::kBootInstead, spoilt);
    loop_.stop();
}

void Vm::fail(uint32_t kind, uint32_t error_number, std::string message) {
    if (exit_ || phase_ == Phase::kGone)
        return;
    if (unproven_)
        return boot_instead(message, machine_started_ || !machine_->origin_is_good());
    message.resize(std::min<size_t>(message.size(), HRUN_MAX_MESSAGE));
    state_.error = State::Failure{kind, message};
    // A VM that dies takes its process with it, as SIGKILL would.
    const hrun_exit exit = pid_ ? kKilled : hrun_exit{exit_code_of(kind), 0, 0};
    conclude(exit, frame(HRUN_ERROR, std::string(bytes_of(hrun_error{kind, error_number})) + message));
}

// How it ended is decided, once.
void Vm::conclude(const hrun_exit& exit, std::string verdict) {
    exit_ = exit;
    verdict_ = std::move(verdict);
    state_.exit_code = exit.code;
    state_.signal = exit.signal;
    state_.oom_killed = exit.flags & HRUN_EXIT_OOM;
    for (Client& client : control_.clients())
        client.finish(verdict_);
    end();
}

void Vm::end() {
    phase_ = Phase::kEnding;
    limit_.reset();
    connector_.cancel();
    checkpoint_.cancel();
    idle_.reset();
    killer_.reset();
    if (health_)
        health_->stop();
    for (Output& output : outputs_)
        output.finish();
    schedule();
    if (!machine_->running())
        return finish();
    // Nothing needs writing, or nobody is there to write it. What is shared by virtiofs is the host's already.
    const bool needs_writing = !config_.auto_remove || config_.keeps_data() || !tenants_.empty();
    if (!needs_writing || state_.error || !agent_.open())
        return machine_->kill();
    agent_.shutdown();
    limit_ = loop_.after(kShutdownLimit, [this] { machine_->kill(); });
}

// Bytes of the guest that are still on their way come first: its EXIT may be among them.
void Vm::machine_gone() {
    reached(HRUN_STAGE_VMM_GONE);
    agent_.drain();
    if (!exit_)
        return fail(HRUN_ERROR_VM, 0, machine_->why_gone());
    finish();
}

void Vm::finish() {
    phase_ = Phase::kGone;
    limit_.reset();
    if (log_)
        for (const uint8_t stream : {HRUN_STDOUT, HRUN_STDERR})
            log_->end_of_stream(stream);
    flush_log();
    const bool again = runs_again();
    state_.status = again ? "restarting" : "exited";
    state_.vmm_pid = 0;
    state_.finished_at = timestamp_now();
    if (again)
        leave_to_next_run();
    save_state();
    if (!again) // whoever finds no socket finds the truth
        control_.close();
    machine_->close();
    container_.lock.reset();
    container_.keeper->ask(KeeperRequest::kFinished);
    schedule();
}

// A container that could not be started is not tried again.
bool Vm::runs_again() {
    if (!pid_)
        return false;
    const uint32_t how = (stays_ended_ ? kStaysEnded : 0) | (state_.oom_killed ? kOutOfMemory : 0);
    return container_.keeper->ask(KeeperRequest::kEnded, exit_->code | how) == kRunAgain;
}

// A client that does not read does not hold up the next run.
void Vm::leave_to_next_run() {
    ++state_.restart_count;
    control_.leave();
    limit_ = loop_.after(kTellLimit, [this] { loop_.stop(); });
}

void Vm::save_state() {
    if (auto written = write_state(kContainerDirectory, state_); !written)
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", written.error().message().c_str());
}

// Everything is let go of; what is left is to tell the clients, at their own pace.
void Vm::leave_when_told() {
    bool all_told = true;
    for (Client& client : control_.clients())
        all_told = client.say_gone(frame_of(HRUN_GONE, *exit_)) && all_told;
    if (all_told)
        loop_.stop();
}

} // namespace hrun::monitor
