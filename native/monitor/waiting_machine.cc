// SPDX-License-Identifier: Apache-2.0
#include "monitor/waiting_machine.h"

#include <cstdio>
#include <iterator>

#include "monitor/clock.h"
#include "protocol.h"

namespace hrun::monitor {

namespace {

constexpr uint32_t kStopMilliseconds = 10000;

} // namespace

WaitingMachine::WaitingMachine(EventLoop& loop, Container container)
    : loop_(loop), container_(std::move(container)), machine_(nullptr),
      rehearsal_(loop, container_, [this](const Result<void>& done) { rehearsed(done); }) {
    machine_ = create_machine(loop, container_, *this);
}

void WaitingMachine::start(Fd) {
    if (auto started = start_machine(); !started)
        fail(started.error().message());
}

Result<void> WaitingMachine::start_machine() {
    const uint64_t begun = monotonic_ns();
    const bool rehearses = !rehearsal_.is_empty();
    HRUN_TRY(machine_->start());
    started_ = true;
    HRUN_TRY(container_.jail->lock());
    HRUN_TRY(machine_->run());
    if (rehearses) {
        rehearsal_.begin(*machine_);
        return {};
    }
    container_.monitor_started_ns = begun;
    container_.machine_started_ns = monotonic_ns();
    return await_container();
}

void WaitingMachine::rehearsed(const Result<void>& done) {
    if (!done)
        return fail(done.error().message());
    rehearsed_ = true;
    if (auto waits = await_container(); !waits)
        give_up(waits.error().message());
}

Result<void> WaitingMachine::await_container() {
    auto watch = loop_.watch(container_.keeper->fd(), EPOLLIN, [this](uint32_t) { receive(); });
    if (!watch)
        return watch.error();
    keeper_ = std::move(*watch);
    container_.keeper->tell(KeeperRequest::kWaiting);
    return {};
}

void WaitingMachine::receive() {
    auto whole = reader_.receive(container_.keeper->fd());
    if (whole && !*whole)
        return;
    keeper_.reset();
    if (!whole)
        return give_up(whole.error().message());
    if (auto done = become(reader_.take()); !done) {
        give_up(done.error().message());
        container_.keeper->ask(KeeperRequest::kBootInstead);
    }
}

// The settings are read where the keeper has read them: nothing that could change them has run yet.
Result<void> WaitingMachine::become(HandOver what) {
    Container container;
    if (auto mistake = read_settings(kContainerDirectory, container))
        return Error{EINVAL, *mistake};
    const Config& config = container.config;
    size_t queues = 0;
    for (const NicConfig& nic : config.nics)
        queues += nic.queue_pairs;
    if (config.disks.size() != what.disks.size() || queues != what.nics.size())
        return Error{EINVAL, "take disks and networks"};
    container.path = std::move(what.path);
    container.control = std::move(what.control);
    for (Fd& disk : what.disks)
        container.files.disks.emplace_back(std::move(disk));
    for (auto next = std::make_move_iterator(what.nics.begin()); const NicConfig& nic : config.nics) {
        container.nics.push_back({nic, std::vector<Fd>(next, next + nic.queue_pairs)});
        next += nic.queue_pairs;
    }
    container.origin = std::move(container_.origin); // until the guest has proved it good
    container.keeper_pid = container_.keeper_pid;
    container.monitor_started_ns = container_.monitor_started_ns;
    container.machine_started_ns = container_.machine_started_ns;
    container.lock = std::move(container_.lock);
    container.jail = std::move(container_.jail);
    container.keeper = std::move(container_.keeper);
    vm_.emplace(loop_, std::move(container), std::move(machine_));
    vm_->start(std::move(what.client));
    return {};
}

void WaitingMachine::stop() {
    if (vm_)
        vm_->stop({vm_->stop_signal(), kStopMilliseconds, HRUN_STOP_FOR_HOST});
    else
        give_up("it was told to stop");
}

void WaitingMachine::fail(const std::string& why) {
    if (!rehearsed_)
        container_.keeper->ask(KeeperRequest::kBootInstead, started_ || !machine_->origin_is_good());
    give_up(why);
}

void WaitingMachine::give_up(const std::string& why) {
    dprintf(STDERR_FILENO, "hrun-vmm: the machine that waits goes: %s\n", why.c_str());
    loop_.stop();
}

} // namespace hrun::monitor
