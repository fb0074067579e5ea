// SPDX-License-Identifier: Apache-2.0
// What the kernel remembers of flows of packets (conntrack, linux/netfilter/nfnetlink_conntrack.h).
#pragma once

#include <span>
#include <vector>

#include "net/netlink.h"
#include "net/port_map.h"

namespace hrun::net {

// Keep it after a removal of port mappings, as a PortMap: the end of its socket waits, too.
class Flows {
  public:
    // Of this thread's network namespace.
    static Result<Flows> open();

    // Makes the kernel forget UDP flows to the host's ports of these mappings that lead elsewhere. A sender who does not pause
    // would never reach a port that was published after it began: a flow's way is settled by its first packet. A kernel that cannot tell of
    // flows has none to forget.
    Result<void> forget_others(std::span<const PortMapping> mappings);
    // The same for all UDP flows to these ports of the host, wherever they lead: that ports are given back ends no flow.
    Result<void> forget(std::vector<PortMapping> mappings);

  private:
    explicit Flows(Netlink netlink) : netlink_(std::move(netlink)) {}
    Result<void> forget_others_of(int family, std::span<const PortMapping> mappings);

    Netlink netlink_;
};

} // namespace hrun::net
