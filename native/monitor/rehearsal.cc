// SPDX-License-Identifier: Apache-2.0
#include "monitor/rehearsal.h"

#include "base/unix_socket.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 60s;
// The second is where code that ran once, and was translated alone, is joined to what follows it.
constexpr unsigned kRounds = 2;

} // namespace

Rehearsal::Rehearsal(EventLoop& loop, Container& container, Done done)
    : loop_(loop), disks_(std::exchange(container.config.disks, {})),
      files_(std::exchange(container.files.disks, {})), configure_(container.configure),
      start_(container.start), done_(std::move(done)), connector_(loop) {}

void Rehearsal::begin(Machine& machine) {
    machine_ = &machine;
    limit_ = loop_.after(kLimit, [this] { finish(Error{ETIMEDOUT, "rehearse"}); });
    connector_.connect(machine, [this](Result<Fd> agent) { plug(std::move(agent)); });
}

// The agent is there. Its disks are in the slots that a container's are in.
void Rehearsal::plug(Result<Fd> agent) {
    if (!agent)
        return finish(agent.error());
    for (const Result<Fd>& file : files_)
        if (!file)
            return finish(file.error());
    changing_ = files_.size();
    for (size_t i = 0; i < files_.size(); ++i)
        machine_->plug_disk(disks_[i].slot, disks_[i].read_only, std::move(*files_[i]),
                            [this](const Result<void>& done) { plugged(done); });
}

void Rehearsal::plugged(const Result<void>& done) {
    if (!done)
        return finish(done);
    if (--changing_ == 0)
        join();
}

void Rehearsal::join() {
    leaving_ = false;
    session_.reset();
    link_ = std::make_unique<JoinLink>(
        loop_, JoinLink::Events{[this](uint32_t port) { enter(port); },
                                [this] { turn_ = loop_.after({}, [this] { parted(); }); },
                                [this](uint32_t, const std::string& message) {
                                    finish(Error{EIO, "rehearse: " + message});
                                },
                                [this] {
                                    finish(Error{ECONNRESET, "rehearse"});
                                }});
    std::string slots;
    for (const DiskConfig& disk : disks_)
        slots += bytes_of(uint32_t{disk.slot});
    auto pair = unix_pair();
    if (!pair)
        return finish(pair.error());
    auto asked = machine_->connect(HRUN_AGENT_PORT, std::move(pair->second), [](auto) {});
    if (asked)
        asked = link_->begin(std::move(pair->first), hello_frame() + frame(HRUN_JOIN, slots));
    if (!asked)
        finish(asked);
}

void Rehearsal::enter(uint32_t port) {
    auto pair = unix_pair();
    if (!pair)
        return finish(pair.error());
    session_.emplace(loop_, static_cast<AgentEvents&>(*this));
    auto asked = machine_->connect(port, std::move(pair->second), [](auto) {});
    if (asked)
        asked = session_->begin(std::move(pair->first), configure_, start_);
    if (!asked)
        finish(asked);
}

void Rehearsal::agent_exit(const hrun_exit& exit) {
    if (exit.code != 0)
        return finish(Error{EIO, "rehearse: its process ended with exit code " + std::to_string(exit.code)});
    leaving_ = true;
    link_->part();
}

void Rehearsal::agent_error(const hrun_error&, std::string_view message) {
    finish(Error{EIO, "rehearse: " + std::string(message)});
}

void Rehearsal::agent_gone(const Error& error) {
    if (!leaving_)
        finish(error);
}

void Rehearsal::parted() {
    if (++rounds_ < kRounds)
        return join();
    changing_ = disks_.size();
    for (const DiskConfig& disk : disks_)
        machine_->unplug_disk(disk.slot, [this](const Result<void>& done) { unplugged(done); });
}

void Rehearsal::unplugged(const Result<void>& done) {
    if (!done)
        return finish(done);
    if (--changing_ == 0)
        finish({});
}

void Rehearsal::finish(Result<void> done) {
    limit_.reset();
    connector_.cancel();
    if (const Done tell = std::exchange(done_, nullptr))
        tell(std::move(done));
}

} // namespace hrun::monitor
