// SPDX-License-Identifier: Apache-2.0
#include "monitor/service.h"

#include <algorithm>

#include "monitor/configure_payload.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kShutdownLimit = 10s;
constexpr uint32_t kNoProcess = 0; // STARTED gives the pid of a process: here there is none
constexpr hrun_exit kEnded{0, 0, 0};

std::string error_frame(uint32_t kind, uint32_t number, std::string_view message) {
    return frame(HRUN_ERROR, std::string(bytes_of(hrun_error{kind, number})) +
                                 std::string(message.substr(0, HRUN_MAX_MESSAGE)));
}

} // namespace

Service::Service(EventLoop& loop, Container container)
    : loop_(loop), container_(std::move(container)), config_(container_.config),
      machine_(create_machine(loop, container_, *this)), control_(loop, kContainerDirectory, *this),
      connector_(loop), agent_(loop, *this) {}

void Service::start(Fd first_client) {
    auto started = start_parts(std::move(first_client));
    const auto locked = container_.jail->lock();
    if (started)
        started = locked ? machine_->run() : locked;
    if (!started)
        machine_failed(HRUN_ERROR_HOST, started.error().message());
}

Result<void> Service::start_parts(Fd first_client) {
    HRUN_TRY(control_.listen(std::move(container_.control), std::move(first_client)));
    HRUN_TRY(machine_->start());
    limit_ = loop_.after(std::chrono::milliseconds(config_.boot_timeout_ms),
                         [this] { machine_failed(HRUN_ERROR_VM, "the guest did not answer in time"); });
    connector_.connect(*machine_, [this](Result<Fd> socket) { begin_session(std::move(socket)); });
    return {};
}

void Service::begin_session(Result<Fd> socket) {
    auto configure = configure_payload(without_networks(container_.configure));
    if (!socket || !configure)
        return machine_failed(HRUN_ERROR_HOST, (socket ? configure.error() : socket.error()).message());
    if (auto begun = agent_.begin(std::move(*socket), *configure, {}); !begun)
        machine_failed(HRUN_ERROR_HOST, begun.error().message());
}

void Service::stop() {
    conclude(frame_of(HRUN_EXIT, kEnded));
}

// ---- the agent

void Service::agent_configured() {
    configured_ = true;
    limit_.reset();
    for (Client& client : control_.clients())
        if (client.attached())
            client.send(frame_of(HRUN_STARTED, kNoProcess));
    if (control_.clients().empty())
        stop();
}

Result<void> Service::agent_output(uint8_t, std::string_view) {
    return Error{EPROTO, "output of a process that was not started"};
}

void Service::agent_error(const hrun_error& error, std::string_view message) {
    conclude(error_frame(error.kind, error.error_number, message));
}

void Service::agent_gone(const Error& error) {
    if (verdict_.empty())
        machine_failed(HRUN_ERROR_VM, error.message());
    else if (machine_->running())
        machine_->kill();
}

// ---- clients

void Service::client_attached(Client& client) {
    client.attach(outputs_, configured_ ? HRUN_STATE_RUNNING : HRUN_STATE_STARTING);
    if (configured_)
        client.send(frame_of(HRUN_STARTED, kNoProcess));
    if (!verdict_.empty())
        client.finish(verdict_);
    schedule();
}

void Service::client_gone(Client& client) {
    control_.remove(client);
    if (control_.clients().empty())
        stop();
    schedule();
}

// ---- the end

void Service::machine_gone() {
    agent_.drain();
    if (verdict_.empty())
        return machine_failed(HRUN_ERROR_VM, machine_->why_gone());
    finish();
}

void Service::machine_failed(uint32_t kind, std::string message) {
    conclude(error_frame(kind, 0, message));
}

// How it ended is decided, once. Who comes now has come too late, and waits for the next.
void Service::conclude(std::string verdict) {
    if (!verdict_.empty())
        return;
    verdict_ = std::move(verdict);
    control_.close();
    for (Output& output : outputs_)
        output.finish();
    for (Client& client : control_.clients())
        client.finish(verdict_);
    end();
}

void Service::end() {
    limit_.reset();
    connector_.cancel();
    schedule();
    if (!machine_->running())
        return finish();
    if (!configured_ || !agent_.open())
        return machine_->kill();
    agent_.shutdown();
    limit_ = loop_.after(kShutdownLimit, [this] { machine_->kill(); });
}

void Service::finish() {
    finished_ = true;
    limit_.reset();
    machine_->close();
    container_.lock.reset();
    container_.keeper->ask(KeeperRequest::kFinished);
    schedule();
}

// Once per turn of the loop, whatever happened in it.
void Service::schedule() {
    if (!turn_.active())
        turn_ = loop_.after({}, [this] { tell_clients(); });
}

void Service::tell_clients() {
    bool all_told = true;
    for (Client& client : control_.clients()) {
        client.pump(outputs_);
        if (finished_)
            all_told = client.say_gone(frame_of(HRUN_GONE, kEnded)) && all_told;
    }
    if (finished_ && all_told)
        loop_.stop();
}

} // namespace hrun::monitor
