// SPDX-License-Identifier: Apache-2.0
#include "monitor/joined_machine.h"

#include <bit>
#include <map>

#include "monitor/configure_payload.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kPartLimit = 15s; // beyond what the other monitor gives its guest
constexpr unsigned kLastSlot = HRUN_MAX_SLOT;

Error not_its_own(const char* what) {
    return {ENOTSUP, std::string(what) + " of a container that shares the machine of another"};
}

} // namespace

JoinedMachine::JoinedMachine(EventLoop& loop, Container& container, MachineEvents& events)
    : loop_(loop), container_(container), events_(events), hybrid_(loop, kContainerDirectory, "vsock.sock"),
      link_(loop, {[this](uint32_t slots) { take_place(slots); },
                   [this] { leave(parting_ ? "the container was ended" : host_ended()); },
                   [this](uint32_t kind, std::string message) {
                       if (!parting_)
                           events_.machine_failed(kind, std::move(message));
                   },
                   [this] { leave(host_ended()); }}) {}

std::string JoinedMachine::host_ended() const {
    return "the container whose machine and network it shares has ended: " + container_.config.host->name;
}

Result<void> JoinedMachine::start() {
    container_.keeper->ask(KeeperRequest::kPlace);
    HRUN_TRY(hybrid_.listen([this](uint32_t port, Fd socket, virtio::VsockConnection::Connected connected) {
        return connect(port, std::move(socket), std::move(connected));
    }));
    // HELLO and JOIN were sent by the keeper.
    HRUN_TRY(link_.begin(std::move(container_.host), {}));
    running_ = true;
    return {};
}

void JoinedMachine::kill() {
    if (!running_ || std::exchange(parting_, true))
        return;
    link_.part();
    limit_ = loop_.after(kPartLimit, [this] { leave("the machine that it shares did not let go of it"); });
}

// Its disks have slots of their own there.
void JoinedMachine::take_place(uint32_t slots) {
    const auto& disks = container_.config.disks;
    if (static_cast<size_t>(std::popcount(slots)) != disks.size() || slots >> (kLastSlot + 1))
        return events_.machine_failed(HRUN_ERROR_VM, "the machine that it shares gave it no place");
    std::map<unsigned, unsigned> places;
    for (const DiskConfig& disk : disks) {
        places[disk.slot] = static_cast<unsigned>(std::countr_zero(slots));
        slots &= slots - 1;
    }
    container_.configure = with_slots(container_.configure, places);
    placed_ = true;
    for (Waiting& waiting : std::exchange(waiting_, {}))
        lead_to_agent(std::move(waiting));
}

// The machine's other ports are its first container's.
Result<void> JoinedMachine::connect(uint32_t port, Fd socket, virtio::VsockConnection::Connected connected) {
    if (port != HRUN_AGENT_PORT || !running_)
        return Error{ECONNREFUSED, "connect to the guest's port " + std::to_string(port)};
    if (placed_)
        lead_to_agent({std::move(socket), std::move(connected)});
    else
        waiting_.push_back({std::move(socket), std::move(connected)});
    return {};
}

// It listens already. Who connects is told before its first byte comes.
void JoinedMachine::lead_to_agent(Waiting waiting) {
    waiting.connected(virtio::VsockKey{});
    [[maybe_unused]] const auto passed = link_.pass(waiting.socket.get()); // if not, the socket's end tells
}

void JoinedMachine::leave(std::string why) {
    if (!std::exchange(running_, false))
        return;
    limit_.reset();
    waiting_.clear();
    why_gone_ = std::move(why);
    events_.machine_gone();
}

void JoinedMachine::plug_nic(const PluggedNic&, std::vector<Fd>, Done done) {
    done(not_its_own("a network interface"));
}

void JoinedMachine::unplug_nic(unsigned, Done done) {
    done({});
}

void JoinedMachine::plug_disk(unsigned, bool, Fd, Done done) {
    done(not_its_own("the machine"));
}

void JoinedMachine::unplug_disk(unsigned, Done done) {
    done({});
}

} // namespace hrun::monitor
