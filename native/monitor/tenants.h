// SPDX-License-Identifier: Apache-2.0
// Further containers in a machine that runs, as their monitors ask for it over the control socket: their disks are plugged in, the guest's
// agent starts one of its own for each, and their monitors are led to it. Who asks has a guest in the same machine and is believed nothing.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "base/event_loop.h"
#include "base/fd.h"
#include "monitor/client.h"
#include "monitor/config.h"
#include "monitor/join_link.h"
#include "monitor/machine.h"
#include "monitor/nic_changes.h"

namespace hrun::monitor {

class Tenants {
  public:
    // All references outlive it.
    Tenants(EventLoop& loop, Machine& machine, const Config& config, const NicChanges& nics)
        : loop_(loop), machine_(machine), config_(config), nics_(nics) {}

    // What makes no sense is answered by ERROR.
    void handle(Client& client, JoinRequest request);
    // It is gone, and its container with it.
    void forget(const Client& client);
    // The host file of a disk in this slot cannot be used.
    void disk_failed(unsigned slot, bool no_space);
    bool empty() const { return tenants_.empty(); }
    bool has(unsigned slot) const;

  private:
    struct Tenant {
        Client* client; // null once gone
        std::vector<Fd> disks;
        std::vector<unsigned> slots; // in the disks' order, once it has asked for them
        size_t changing = 0;         // disks on their way in or out
        std::optional<Error> refused;
        std::unique_ptr<JoinLink> agent;
        uint32_t port = 0;    // of its agent, once that listens
        bool parting = false; // asked to go
        bool leaving = false; // its disks are on their way out
        Timer limit;          // of the guest's letting go
    };
    using Entry = std::list<Tenant>::iterator;

    Entry find(const Client& client);
    void take_disk(Entry tenant, Fd file);
    void join(Entry tenant, uint32_t read_only);
    Result<std::vector<unsigned>> free_slots(size_t count) const;
    void plugged(Entry tenant, const Result<void>& done);
    void ask_agent(Entry tenant);
    void agent_joined(Entry tenant, uint32_t port);
    void agent_gone(Entry tenant);
    void lead(Entry tenant, Fd socket);
    void part(Entry tenant);
    void unplug(Entry tenant);
    void unplugged(Entry tenant);
    void refuse(Entry tenant, const Error& error);

    EventLoop& loop_;
    Machine& machine_;
    const Config& config_;
    const NicChanges& nics_;
    std::list<Tenant> tenants_;
};

} // namespace hrun::monitor
