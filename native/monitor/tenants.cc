// SPDX-License-Identifier: Apache-2.0
#include "monitor/tenants.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

#include "base/unix_socket.h"
#include "monitor/disk_file.h"
#include "qemu/command_line.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kLetGoLimit = 8s;  // for the guest to end a container and write its disks out
constexpr auto kSilentLimit = 2s; // for one that does not say when it has done so
constexpr unsigned kFirstSlot = qemu::kFirstFreeSlot, kLastSlot = HRUN_MAX_SLOT;
constexpr size_t kMaxTenants = HRUN_MAX_JOINED;

bool is_plain_file(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

} // namespace

void Tenants::handle(Client& client, JoinRequest request) {
    Entry tenant = find(client);
    if (tenant == tenants_.end()) {
        if (tenants_.size() >= kMaxTenants)
            return client.send(
                refusal({E2BIG, std::to_string(kMaxTenants) + " containers share the machine"}));
        tenants_.push_back({&client});
        tenant = std::prev(tenants_.end());
    }
    switch (request.step) {
    case JoinRequest::Step::kDisk:
        return take_disk(tenant, std::move(request.descriptor));
    case JoinRequest::Step::kJoin:
        return join(tenant, request.read_only);
    case JoinRequest::Step::kAgent:
        return lead(tenant, std::move(request.descriptor));
    case JoinRequest::Step::kPart:
        return part(tenant);
    }
}

void Tenants::forget(const Client& client) {
    const Entry tenant = find(client);
    if (tenant == tenants_.end())
        return;
    tenant->client = nullptr;
    part(tenant);
}

bool Tenants::has(unsigned slot) const {
    for (const Tenant& tenant : tenants_)
        if (std::find(tenant.slots.begin(), tenant.slots.end(), slot) != tenant.slots.end())
            return true;
    return false;
}

void Tenants::disk_failed(unsigned slot, bool no_space) {
    for (auto tenant = tenants_.begin(); tenant != tenants_.end(); ++tenant)
        if (std::find(tenant->slots.begin(), tenant->slots.end(), slot) != tenant->slots.end())
            return refuse(tenant, {no_space ? ENOSPC : EIO, disk_failure("the container's disk", no_space)});
}

Tenants::Entry Tenants::find(const Client& client) {
    return std::find_if(tenants_.begin(), tenants_.end(),
                        [&](const Tenant& tenant) { return tenant.client == &client; });
}

void Tenants::refuse(Entry tenant, const Error& error) {
    if (tenant->client)
        tenant->client->send(refusal(error));
}

// ---- in

void Tenants::take_disk(Entry tenant, Fd file) {
    if (!tenant->slots.empty() || tenant->parting || tenant->disks.size() > kLastSlot ||
        !is_plain_file(file.get()))
        return refuse(tenant, {EINVAL, "take a disk out of turn"});
    tenant->disks.push_back(std::move(file));
}

void Tenants::join(Entry tenant, uint32_t read_only) {
    if (!tenant->slots.empty() || tenant->parting || tenant->disks.empty())
        return refuse(tenant, {EINVAL, "join out of turn"});
    auto slots = free_slots(tenant->disks.size());
    if (!slots)
        return refuse(tenant, slots.error());
    tenant->slots = std::move(*slots);
    tenant->changing = tenant->slots.size();
    auto disks = std::exchange(tenant->disks, {});
    for (size_t i = 0; i < disks.size(); ++i)
        machine_.plug_disk(tenant->slots[i], (read_only >> i & 1) != 0, std::move(disks[i]),
                           [this, tenant](const Result<void>& done) { plugged(tenant, done); });
}

// The lowest, for networks take the highest.
Result<std::vector<unsigned>> Tenants::free_slots(size_t count) const {
    std::vector<unsigned> free;
    for (unsigned slot = kFirstSlot; slot <= kLastSlot; ++slot) {
        bool taken = slot == config_.vsock_slot || slot == config_.rng_slot || slot == config_.balloon_slot ||
                     (config_.share && config_.share->slot == slot) || nics_.has(slot) || has(slot);
        for (const DiskConfig& disk : config_.disks)
            taken = taken || disk.slot == slot;
        if (!taken)
            free.push_back(slot);
    }
    if (free.size() < count)
        return Error{ENOSPC, "the machine has room for " + std::to_string(free.size()) +
                                 " more disks, and the container needs " + std::to_string(count)};
    free.resize(count);
    return free;
}

void Tenants::plugged(Entry tenant, const Result<void>& done) {
    if (!done && !tenant->refused)
        tenant->refused = done.error();
    if (--tenant->changing > 0)
        return;
    if (tenant->refused)
        refuse(tenant, *tenant->refused);
    if (tenant->parting)
        return unplug(tenant);
    if (!tenant->refused)
        ask_agent(tenant);
}

void Tenants::ask_agent(Entry tenant) {
    auto pair = unix_pair();
    if (!pair)
        return refuse(tenant, pair.error());
    if (auto asked = machine_.connect(HRUN_AGENT_PORT, std::move(pair->second), [](auto) {}); !asked)
        return refuse(tenant, asked.error());
    tenant->agent = std::make_unique<JoinLink>(
        loop_,
        JoinLink::Events{[this, tenant](uint32_t port) { agent_joined(tenant, port); },
                         [this, tenant] { tenant->limit = loop_.after({}, [=, this] { unplug(tenant); }); },
                         [tenant](uint32_t kind, const std::string& message) {
                             if (tenant->client)
                                 tenant->client->send(
                                     frame(HRUN_ERROR, std::string(bytes_of(hrun_error{kind, 0})) + message));
                         },
                         [this, tenant] { agent_gone(tenant); }});
    std::string slots;
    for (const uint32_t slot : tenant->slots)
        slots += bytes_of(slot);
    if (auto begun = tenant->agent->begin(std::move(pair->first), hello_frame() + frame(HRUN_JOIN, slots));
        !begun)
        refuse(tenant, begun.error());
}

void Tenants::agent_joined(Entry tenant, uint32_t port) {
    if (port <= HRUN_AGENT_PORT || port > HRUN_AGENT_PORT + HRUN_MAX_JOINED)
        return refuse(tenant, {EPROTO, "the guest's agent gave a port that is none"});
    tenant->port = port;
    uint32_t mask = 0;
    for (const unsigned slot : tenant->slots)
        mask |= uint32_t{1} << slot;
    if (tenant->client)
        tenant->client->send(frame_of(HRUN_JOINED, mask));
}

// The machine's end, if that is the cause, is known in a moment and says more.
void Tenants::agent_gone(Entry tenant) {
    tenant->limit = loop_.after(kSilentLimit, [this, tenant] {
        if (tenant->parting)
            return unplug(tenant);
        refuse(tenant, {ECONNRESET, "the guest has let go of the container"});
    });
}

void Tenants::lead(Entry tenant, Fd socket) {
    const int flags = fcntl(socket.get(), F_GETFL);
    if (tenant->port == 0 || tenant->parting || flags < 0 ||
        fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) < 0)
        return refuse(tenant, {EINVAL, "lead to an agent out of turn"});
    [[maybe_unused]] const auto asked = machine_.connect(tenant->port, std::move(socket), [](auto) {});
}

// ---- out

// The guest first: a disk that it still uses had better not go.
void Tenants::part(Entry tenant) {
    if (std::exchange(tenant->parting, true) || tenant->changing > 0)
        return;
    if (!tenant->agent)
        return unplug(tenant);
    const bool answers = tenant->agent->open();
    if (answers)
        tenant->agent->part();
    tenant->limit = loop_.after(answers ? kLetGoLimit : kSilentLimit, [this, tenant] { unplug(tenant); });
}

void Tenants::unplug(Entry tenant) {
    if (std::exchange(tenant->leaving, true))
        return;
    tenant->parting = true;
    tenant->changing = tenant->slots.size();
    if (tenant->changing == 0)
        return unplugged(tenant);
    for (const unsigned slot : std::vector<unsigned>(tenant->slots))
        machine_.unplug_disk(slot, [this, tenant](const Result<void>& done) {
            if (!done)
                dprintf(STDERR_FILENO, "hrun-vmm: %s\n", done.error().message().c_str());
            if (--tenant->changing == 0)
                unplugged(tenant);
        });
}

void Tenants::unplugged(Entry tenant) {
    if (tenant->client)
        tenant->client->send(frame(HRUN_PARTED));
    tenant->limit =
        loop_.after({}, [this, tenant] { tenants_.erase(tenant); }); // not in a call of its own link's
}

} // namespace hrun::monitor
