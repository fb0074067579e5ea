// SPDX-License-Identifier: Apache-2.0
#include "monitor/checkpoint.h"

#include <utility>

#include "monitor/frames.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kGuestLimit = 30s; // for the guest to stand still, and to go on
constexpr auto kSaveLimit = 120s; // for QEMU to write some hundred kilobytes
constexpr size_t kMaxReason = 200;

// Of what a guest says one line is shown.
std::string printable(std::string_view text) {
    std::string line(text.substr(0, kMaxReason));
    for (char& each : line)
        if (each < ' ' || each > '~')
            each = '?';
    return line;
}

} // namespace

void Checkpoint::begin(Client& client, Fd state) {
    if (active())
        return client.send(refusal({EBUSY, "another checkpoint is being made"}));
    if (auto possible = machine_.can_be_saved(); !possible)
        return client.send(refusal(possible.error()));
    step_ = Step::kSuspending;
    client_ = &client;
    state_ = std::move(state);
    handed_over_ = parted_ = false;
    // Should it stand still all the same, it is woken.
    limit_ = loop_.after(kGuestLimit, [this] { refuse({ETIMEDOUT, "the guest did not stand still"}); });
    events_.suspend();
}

Result<void> Checkpoint::suspended(std::string_view why) {
    if (step_ != Step::kSuspending)
        return Error{EPROTO, "agent stands still unasked"};
    if (!why.empty()) {
        step_ = Step::kNone;
        limit_.reset();
        refuse({EBUSY, printable(why)});
        return {};
    }
    if (!client_) {
        step_ = Step::kWaking;
        events_.wake();
        return {};
    }
    parted_ = true;
    step_ = Step::kSaving;
    limit_ = loop_.after(kSaveLimit, [this] { events_.failed("QEMU did not save the machine in time"); });
    machine_.save(std::move(state_), [this](const Result<void>& done) { saved(done); });
    return {};
}

// A client that copies has as long as it is there.
void Checkpoint::saved(const Result<void>& done) {
    step_ = Step::kSaved;
    limit_.reset();
    if (!done)
        refuse(done.error());
    if (client_ && client_->send_descriptor(frame(HRUN_SAVED), machine_.memory()))
        handed_over_ = true;
    else
        leave(true);
}

void Checkpoint::release(Client& client, bool go_on) {
    if (step_ != Step::kSaved || !handed_over_ || client_ != &client)
        return client.send(refusal({EPROTO, "there is nothing to release"}));
    leave(go_on);
}

void Checkpoint::forget(const Client& client) {
    if (client_ != &client)
        return;
    client_ = nullptr;
    if (step_ == Step::kSaved)
        leave(true);
}

void Checkpoint::leave(bool go_on) {
    step_ = Step::kWaking;
    limit_ =
        loop_.after(kGuestLimit, [this] { events_.failed("the guest did not go on after a checkpoint"); });
    machine_.go_on([this, go_on](const Result<void>& done) {
        if (!done)
            return events_.failed(done.error().message());
        connector_.connect(machine_, [this, go_on](Result<Fd> socket) {
            parted_ = false;
            if (socket)
                events_.reconnected(std::move(*socket), go_on);
            else
                events_.failed(socket.error().message());
        });
    });
}

Result<void> Checkpoint::awake() {
    if (step_ != Step::kWaking)
        return Error{EPROTO, "agent goes on unasked"};
    step_ = Step::kNone;
    limit_.reset();
    if (Client* const client = std::exchange(client_, nullptr))
        client->send(frame(HRUN_RELEASED));
    return {};
}

void Checkpoint::cancel() {
    step_ = Step::kNone;
    client_ = nullptr;
    limit_.reset();
    connector_.cancel();
}

void Checkpoint::refuse(const Error& error) {
    if (Client* const client = std::exchange(client_, nullptr))
        client->send(refusal(error));
}

} // namespace hrun::monitor
