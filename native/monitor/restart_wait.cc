// SPDX-License-Identifier: Apache-2.0
#include "monitor/restart_wait.h"

#include <signal.h>

#include <cstdio>

#include "monitor/state_file.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kTellLimit = 10s;
constexpr hrun_exit kEnded{0, 0, 0};

std::string refusal(const char* what) {
    return frame(HRUN_ERROR, std::string(bytes_of(hrun_error{HRUN_ERROR_START, EAGAIN})) + what);
}

void complain(const Result<void>& result) {
    if (!result)
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", result.error().message().c_str());
}

} // namespace

RestartWait::RestartWait(EventLoop& loop, Container container)
    : loop_(loop), container_(std::move(container)), control_(loop, kContainerDirectory, *this) {
    for (Output& output : outputs_)
        output.finish();
}

void RestartWait::start(Fd first_client) {
    auto started = start_parts(std::move(first_client));
    if (started)
        started = container_.jail->lock();
    complain(started);
    if (!started)
        loop_.after({}, [this] { loop_.stop(); });
}

Result<void> RestartWait::start_parts(Fd first_client) {
    HRUN_TRY(control_.listen(std::move(container_.control), std::move(first_client)));
    over_ = loop_.after(container_.restart_wait, [this] {
        container_.keeper->tell(KeeperRequest::kWaited);
        control_.leave();
        loop_.stop();
    });
    return {};
}

// The state becomes `exited`, the keeper lets go, and clients are told.
void RestartWait::end(bool by_user) {
    if (std::exchange(stopped_, true))
        return;
    over_.reset();
    complain(write_exited(by_user));
    control_.close();
    container_.lock.reset();
    container_.keeper->ask(KeeperRequest::kFinished);
    limit_ = loop_.after(kTellLimit, [this] { loop_.stop(); });
    schedule();
}

// As the last run left it, but that none follows.
Result<void> RestartWait::write_exited(bool by_user) {
    auto state = read_state(kContainerDirectory);
    if (!state)
        return state.error();
    state->status = "exited";
    state->stopped = by_user;
    return write_state(kContainerDirectory, *state);
}

// Docker's words.
void RestartWait::client_attached(Client& client) {
    client.attach(outputs_, HRUN_STATE_STARTING);
    client.finish(refusal("the container is restarting, wait until it is running"));
    schedule();
}

void RestartWait::client_signal(uint32_t number) {
    if (ends_restarts(container_.config, number))
        end(true);
}

void RestartWait::client_pause(Client& client, bool) {
    client.send(refusal("the container is restarting, wait until it is running"));
}

void RestartWait::client_gone(Client& client) {
    control_.remove(client);
    schedule();
}

// Once per turn of the loop, whatever happened in it.
void RestartWait::schedule() {
    if (!turn_.active())
        turn_ = loop_.after({}, [this] { tell_clients(); });
}

void RestartWait::tell_clients() {
    bool all_told = true;
    for (Client& client : control_.clients()) {
        client.pump(outputs_);
        if (stopped_ || client.attached())
            all_told = client.say_gone(frame_of(HRUN_GONE, kEnded)) && all_told;
    }
    if (stopped_ && all_told)
        loop_.stop();
}

} // namespace hrun::monitor
