// SPDX-License-Identifier: Apache-2.0
// What the kernel remembers of flows of packets (conntrack, linux/netfilter/nfnetlink_conntrack.h).
#pragma once

#include <span>
#include <vector>

#include "net/port_map.h"

namespace hrun::net {

// Makes the kernel forget UDP flows to the host's ports of these mappings that lead elsewhere. A sender who does not pause
// would never reach a port that was published after it began: a flow's way is settled by its first packet. A kernel that cannot tell of
// flows has none to forget.
Result<void> forget_other_flows(std::span<const PortMapping> mappings);

// The same for all UDP flows to these ports of the host, wherever they lead: that ports are given back ends no flow.
Result<void> forget_flows(std::vector<PortMapping> mappings);

} // namespace hrun::net
