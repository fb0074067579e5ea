// SPDX-License-Identifier: Apache-2.0
// Published ports as the host's own processes reach them by ::1. The firewall cannot send these packets to the machine, for Linux takes no
// answer to ::1 from another interface; so they come to the sockets that hold the ports, and a process of its own carries what is said there
// to and fro. It has no capabilities, no files, and a few system calls (jail/system_calls.h).
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "base/fd.h"
#include "net/port_map.h"

namespace hrun::monitor {

class LoopbackPorts {
  public:
    // Serves those of the mappings that ::1 belongs to; `sockets` hold them, in the same order. The process ends with the keeper, or stop().
    Result<void> start(std::span<const net::PortMapping> mappings, std::span<const Fd> sockets);
    // Ends it, and waits for that: its sockets are free again.
    void stop();
    // In a process that the keeper has forked: it goes on.
    void forget();

  private:
    pid_t process_ = 0;
    Fd lifeline_;
};

} // namespace hrun::monitor
