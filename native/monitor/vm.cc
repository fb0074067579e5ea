// SPDX-License-Identifier: Apache-2.0
#include "monitor/vm.h"

#include "monitor/clock.h"
#include "monitor/configure_payload.h"
#include "monitor/start_payload.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kCopyLimit = 20s; // for a copy's agent to answer, before the machine is booted instead

size_t output_of(uint8_t stream) {
    return stream - HRUN_STDOUT;
}

} // namespace

Vm::Vm(EventLoop& loop, Container container, std::unique_ptr<Machine> waiting)
    : loop_(loop), container_(std::move(container)), config_(container_.config),
      joins_(container_.host.valid()), takes_up_(waiting != nullptr),
      machine_(waiting ? std::move(waiting) : create_machine(loop, container_, *this)),
      unproven_((container_.origin && !container_.checkpoint) || takes_up_),
      control_(loop, kContainerDirectory, *this), nic_changes_(*machine_, config_.nics),
      tenants_(loop, *machine_, config_, nic_changes_), checkpoint_(loop, *machine_, checkpoint_events()),
      connector_(loop), agent_(loop, *this), wants_input_(start_wants_input(container_.start)) {
    if (config_.health)
        health_.emplace(loop, *container_.keeper, *config_.health, container_.probe);
    if (takes_up_)
        machine_->report_to(*this);
}

// ---- start

void Vm::start(Fd first_client) {
    state_.status = "starting";
    state_.restart_count = container_.restart_count;
    state_.monitor_pid = container_.keeper_pid;
    first_client_ = std::move(first_client);
    auto started = start_parts();
    if (!takes_up_) {
        const auto locked =
            container_.jail->lock(); // whatever has failed: clients are served in the jail only
        if (started && container_.refusal.empty())
            started = locked ? machine_->run() : locked;
    }
    if (!container_.refusal.empty())
        fail(HRUN_ERROR_HOST, EADDRINUSE, container_.refusal);
    else if (!started)
        fail(HRUN_ERROR_HOST, static_cast<uint32_t>(started.error().code), started.error().message());
}

Result<void> Vm::start_parts() {
    HRUN_TRY(reserve_last_state(kContainerDirectory));
    if (!unproven_)
        HRUN_TRY(serve_clients());
    if (!container_.refusal.empty())
        return {};
    reached(HRUN_STAGE_MONITOR_STARTED, container_.monitor_started_ns);
    auto log = LogFile::open(kContainerDirectory, "container.log", config_.log);
    if (!log)
        return log.error();
    log_ = std::move(*log);
    HRUN_TRY(start_machine());
    state_.vmm_pid = machine_->pid();
    HRUN_TRY(write_state(kContainerDirectory, state_));
    limit_answer();
    if (!takes_up_)
        connect_agent();
    return {};
}

Result<void> Vm::start_machine() {
    if (takes_up_) {
        machine_->take_in(container_, [this](const Result<void>& taken) {
            if (taken)
                connect_agent();
            else
                fail(HRUN_ERROR_HOST, static_cast<uint32_t>(taken.error().code), taken.error().message());
        });
        return {};
    }
    HRUN_TRY(machine_->start());
    machine_started_ = true;
    return {};
}

void Vm::connect_agent() {
    reached(HRUN_STAGE_VMM_SPAWNED, container_.machine_started_ns);
    connector_.connect(*machine_, [this](Result<Fd> socket) { begin_session(std::move(socket)); });
}

void Vm::limit_answer() {
    std::chrono::milliseconds limit(config_.boot_timeout_ms);
    if (unproven_)
        limit = std::min<std::chrono::milliseconds>(limit, kCopyLimit);
    limit_ = loop_.after(limit, [this, limit] {
        fail(HRUN_ERROR_VM, ETIMEDOUT,
             "the guest did not answer within " + std::to_string(limit.count()) + " ms; see console.log in " +
                 container_.path);
    });
}

Result<void> Vm::serve_clients() {
    return control_.listen(std::move(container_.control), std::move(first_client_));
}

void Vm::begin_session(Result<Fd> socket) {
    if (container_.checkpoint) {
        const auto begun = socket ? wake(std::move(*socket)) : socket.error();
        if (!begun)
            fail(HRUN_ERROR_HOST, static_cast<uint32_t>(begun.error().code), begun.error().message());
        return;
    }
    auto configure =
        joins_ ? Result<std::string>(container_.configure) : configure_payload(container_.configure);
    const auto begun = !socket      ? Result<void>(socket.error())
                       : !configure ? Result<void>(configure.error())
                                    : agent_.begin(std::move(*socket), *configure, container_.start);
    if (!begun)
        fail(HRUN_ERROR_HOST, static_cast<uint32_t>(begun.error().code), begun.error().message());
}

// ---- the agent

void Vm::agent_connected() {
    reached(HRUN_STAGE_AGENT_CONNECTED);
    if (!std::exchange(unproven_, false))
        return;
    limit_answer(); // from here on it has as long as a machine that boots
    if (auto served = serve_clients(); !served)
        fail(HRUN_ERROR_HOST, static_cast<uint32_t>(served.error().code), served.error().message());
}

void Vm::agent_started(uint32_t pid) {
    if (phase_ != Phase::kStarting)
        return;
    phase_ = Phase::kRunning;
    container_.origin.reset(); // to be the last who has removed files open would hold up the end
    limit_.reset();
    pid_ = pid;
    reached(HRUN_STAGE_PROCESS_STARTED);
    state_.status = "running";
    state_.started_at = timestamp_now();
    // The keeper knows first, so that whoever reads it, and kills us, has killed a container that ran.
    container_.keeper->tell(KeeperRequest::kStarted);
    save_state();
    container_.keeper->ask(KeeperRequest::kRunning);
    // Who hears of it finds it written down, as an event too.
    for (Client& client : control_.clients())
        if (client.attached())
            client.send(frame_of(HRUN_STARTED, pid));
    if (health_)
        health_->start(*machine_);
    tell_process();
}

// What came while it could not be told.
void Vm::tell_process() {
    if (!size_.empty())
        agent_.resize(std::exchange(size_, {}));
    for (const uint32_t number : std::exchange(signals_, {}))
        agent_.signal(number);
    if (const auto stop = std::exchange(stop_, std::nullopt))
        client_stop(*stop);
    schedule();
}

Result<void> Vm::agent_output(uint8_t stream, std::string_view bytes) {
    Output& output = outputs_[output_of(stream)];
    if (!output.append(bytes))
        return Error{EPROTO, "agent sent more output than it may"};
    if (bytes.empty()) {
        output.finish();
        log_->end_of_stream(stream);
    } else {
        if (!std::exchange(first_output_, true))
            reached(HRUN_STAGE_FIRST_OUTPUT);
        log_->append(stream, bytes);
        if (log_->wants_flush())
            flush_log();
    }
    schedule();
    return {};
}

void Vm::agent_paused(bool paused) {
    if (!process_runs())
        return;
    phase_ = paused ? Phase::kPaused : Phase::kRunning;
    state_.status = paused ? "paused" : "running";
    if (health_ && paused)
        health_->suspend();
    else if (health_)
        health_->resume();
    save_state();
    for (Client& client : control_.clients())
        client.send(frame(paused ? HRUN_PAUSED : HRUN_RESUMED));
}

void Vm::agent_exit(const hrun_exit& exit) {
    if (exit_ || phase_ == Phase::kStarting)
        return fail(HRUN_ERROR_PROTOCOL, EPROTO,
                    "the agent reported an exit of a process that it did not start");
    reached(HRUN_STAGE_PROCESS_EXITED);
    conclude(exit, frame_of(HRUN_EXIT, exit));
}

void Vm::agent_error(const hrun_error& error, std::string_view message) {
    fail(error.kind, error.error_number, std::string(message));
}

void Vm::agent_gone(const Error& error) {
    if (runs() && checkpoint_.parts_connection())
        return;
    if (phase_ == Phase::kStarting || runs()) {
        // The machine's end, if that is the cause, is known in a moment and says more.
        if (error.code == EPROTO)
            return fail(HRUN_ERROR_PROTOCOL, EPROTO, error.what);
        limit_ =
            loop_.after(kKillLimit, [this] { fail(HRUN_ERROR_VM, ECONNRESET, "the guest's agent is gone"); });
    } else if (machine_->running()) {
        machine_->kill();
    }
}

// ---- turns

// Once per turn of the loop, whatever happened in it.
void Vm::schedule() {
    if (!turn_.active())
        turn_ = loop_.after({}, [this] { serve(); });
}

void Vm::serve() {
    pass_output();
    pass_input();
    flush_log();
    if (phase_ == Phase::kGone)
        leave_when_told();
}

void Vm::pass_output() {
    for (Client& client : control_.clients())
        client.pump(outputs_);
    for (size_t i = 0; i < outputs_.size(); ++i) {
        const uint64_t needed = control_.needed_from(i).value_or(outputs_[i].end());
        const size_t freed = outputs_[i].drop_before(needed);
        agent_.credit(static_cast<uint8_t>(i + HRUN_STDOUT), freed);
    }
}

void Vm::pass_input() {
    if (!process_runs())
        return;
    for (Client& client : control_.clients())
        pass_input_of(client);
}

void Vm::pass_input_of(Client& client) {
    char bytes[HRUN_MAX_DATA];
    while (!client.input().empty()) {
        const bool taken = wants_input_ && !input_ended_;
        const size_t room = taken ? std::min(agent_.input_credit(), sizeof bytes) : sizeof bytes;
        if (room == 0)
            return;
        const size_t count = client.input().peek(bytes, room);
        client.input().consume(count);
        if (taken)
            agent_.send_input({bytes, count});
        client.credit_input(count);
    }
    if (client.input_ended() && wants_input_ && !std::exchange(input_ended_, true))
        agent_.send_input({});
}

void Vm::flush_log() {
    if (!log_)
        return;
    if (auto flushed = log_->flush(); !flushed) {
        log_.reset();
        fail(HRUN_ERROR_HOST, static_cast<uint32_t>(flushed.error().code), flushed.error().message());
    }
}

// Now, unless `time` says when.
void Vm::reached(hrun_stage stage, uint64_t time) {
    const std::string trace =
        frame_of(HRUN_TRACE, hrun_trace{static_cast<uint32_t>(stage), 0, time ? time : monotonic_ns()});
    stages_ += trace;
    broadcast(trace);
}

void Vm::broadcast(std::string_view frames) {
    for (Client& client : control_.clients())
        if (client.attached())
            client.send(frames);
}

} // namespace hrun::monitor
