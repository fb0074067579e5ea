// SPDX-License-Identifier: Apache-2.0
// A machine's network interface on the host: a tap interface that is a port of a bridge, or wired to an interface of a namespace, and gone when
// nobody has its descriptor any more.
#pragma once

#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "monitor/config.h"

namespace hrun::monitor {

struct Nic {
    NicConfig config;
    Result<std::vector<Fd>>
        backend; // a tap interface's queues or passt's socket, or why there is none, which is for the monitor to tell
};

// Makes the tap interface, of NicConfig::queue_pairs queues, and connects it to its bridge, if it has one, or to what is inside of its
// namespace: filters and rates are the interface's, whichever queue a packet comes by. Needs CAP_NET_ADMIN, and the host's network namespace.
Result<std::vector<Fd>> open_tap(const NicConfig& config);

// Connects one that was made without a bridge. Needs the same.
Result<void> connect_tap(const NicConfig& config);

// Sets the rates of those that are there: of a machine that runs. Needs the same.
Result<void> limit_nics(const std::vector<NicConfig>& configs);

} // namespace hrun::monitor
