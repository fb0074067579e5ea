// SPDX-License-Identifier: Apache-2.0
#include "monitor/probe.h"

#include <signal.h>

#include "monitor/clock.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kStartLimit = 30s; // as Docker: it does not count towards the probe's own timeout
constexpr auto kKillLimit = 10s;
constexpr int kNoExitCode = -1;

} // namespace

Probe::Probe(EventLoop& loop, std::function<void(const Done&)> done)
    : loop_(loop), done_(std::move(done)), agent_(loop, *this), outcome_{} {}

void Probe::begin(Result<Fd> socket, std::string_view payload, std::chrono::milliseconds timeout) {
    timeout_ = timeout;
    outcome_.result = {timestamp_now(), "", kNoExitCode, ""};
    limit_ = loop_.after(kStartLimit, [this] {
        agent_.signal(SIGKILL); // should it start yet
        fail("timed out starting health check");
    });
    const auto begun = socket ? agent_.begin(std::move(*socket), {}, payload) : Result<void>(socket.error());
    if (!begun)
        fail(begun.error().message());
}

void Probe::cancel() {
    if (std::exchange(killed_, true))
        return;
    agent_.signal(SIGKILL);
    limit_ = loop_.after(kKillLimit, [this] { finish(); });
}

void Probe::agent_started(uint32_t) {
    if (!killed_)
        limit_ = loop_.after(timeout_, [this] { time_out(); });
}

void Probe::time_out() {
    timed_out_ = true;
    cancel();
}

Result<void> Probe::agent_output(uint8_t stream, std::string_view bytes) {
    const size_t kept = std::min(bytes.size(), kMaxOutput - output_.size());
    output_ += bytes.substr(0, kept);
    truncated_ |= kept < bytes.size();
    agent_.credit(stream, bytes.size());
    return {};
}

void Probe::agent_exit(const hrun_exit& exit) {
    outcome_.ended = true;
    outcome_.exit_code = exit.code & 0xff;
    outcome_.result.exit_code = static_cast<int>(outcome_.exit_code);
    finish();
}

void Probe::agent_error(const hrun_error&, std::string_view message) {
    fail(std::string(message.substr(0, kMaxOutput)));
}

void Probe::agent_gone(const Error& error) {
    fail(error.message());
}

void Probe::fail(const std::string& why) {
    output_ = why;
    finish();
}

// Told from the loop: this may be a call of the session's.
void Probe::finish() {
    limit_.reset();
    if (turn_.active())
        return;
    outcome_.result.end = timestamp_now();
    outcome_.result.output = output();
    if (timed_out_)
        outcome_.result.exit_code = kNoExitCode;
    turn_ = loop_.after({}, [this] {
        const auto done = std::move(done_);
        const Done outcome = std::move(outcome_);
        done(outcome);
    });
}

std::string Probe::output() const {
    const std::string said = truncated_ ? output_ + "..." : output_;
    if (!timed_out_)
        return said;
    const std::string late = "Health check exceeded timeout (" + go_duration(timeout_) + ")";
    return said.empty() ? late : late + ": " + said;
}

} // namespace hrun::monitor
