// SPDX-License-Identifier: Apache-2.0
#include "monitor/vm.h"

#include <signal.h>

#include "monitor/clock.h"
#include "monitor/configure_payload.h"
#include "monitor/start_payload.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kShutdownLimit = 10s;
constexpr auto kCopyLimit = 20s; // for a copy's agent to answer, before the machine is booted instead
constexpr auto kKillLimit = 10s; // from SIGKILL to the container's process to the end of the VM
constexpr auto kProbePause = 10ms;
constexpr auto kTellLimit = 2s; // for clients to hear of an end that another run follows
constexpr size_t kMaxSignals = 16;
constexpr uint32_t kSignalled = 128; // exit code of a process ended by signal n: 128 + n

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
    reached(HRUN_STAGE_MONITOR_STARTED);
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
    reached(HRUN_STAGE_VMM_SPAWNED);
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
    limit_.reset();
    pid_ = pid;
    container_.keeper->tell(KeeperRequest::kStarted); // before anybody else hears of it
    reached(HRUN_STAGE_PROCESS_STARTED);
    for (Client& client : control_.clients())
        if (client.attached())
            client.send(frame_of(HRUN_STARTED, pid));
    if (health_)
        health_->start(*machine_);
    state_.status = "running";
    state_.started_at = timestamp_now();
    save_state();
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

// ---- clients

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
        return conclude({kSignalled + SIGKILL, SIGKILL, 0},
                        frame_of(HRUN_EXIT, hrun_exit{kSignalled + SIGKILL, SIGKILL, 0}));
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
    const hrun_exit exit{kSignalled + SIGKILL, SIGKILL, 0};
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
    // A container that is left running has its names.
    const std::string names = phase_ == Phase::kStarting ? names_of(container_.configure) : std::string();
    return agent_.begin_awake(std::move(socket), *wake, names);
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

// ---- clients

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

void Vm::reached(hrun_stage stage) {
    const std::string trace =
        frame_of(HRUN_TRACE, hrun_trace{static_cast<uint32_t>(stage), 0, monotonic_ns()});
    stages_ += trace;
    broadcast(trace);
}

void Vm::broadcast(std::string_view frames) {
    for (Client& client : control_.clients())
        if (client.attached())
            client.send(frames);
}

// ---- the end

// Nobody has been told anything yet: clients wait for whoever serves them. What was in the way of the machine's start may not be
// the template's fault: then the boot tells.
void Vm::boot_instead(const std::string& why, bool spoilt) {
    dprintf(STDERR_FILENO, "hrun-vmm: booted, for it cannot start from its template: %s\n", why.c_str());
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
    const hrun_exit exit =
        pid_ ? hrun_exit{kSignalled + SIGKILL, SIGKILL, 0} : hrun_exit{exit_code_of(kind), 0, 0};
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
    else
        control_.close();
    save_state();
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
