// SPDX-License-Identifier: Apache-2.0
// passt(1), the process behind a network interface that needs no privileges: what the guest sends is made sockets of this user. It has
// a sandbox of its own making, and cannot outlive the keeper or the machine.
#pragma once

#include <vector>

#include "base/fd.h"
#include "monitor/config.h"
#include "net/port_map.h"
#include "qemu/process.h"

namespace hrun::monitor {

class Passt {
  public:
    // Starts it for an interface that has NicConfig::passt, with ports of the host that are free: they lead to the machine from now
    // on. Returns the machine's end of a stream socket (devices/virtio/net_stream.h).
    Result<Fd> start(const NicConfig& nic, const std::vector<net::PortMapping>& ports);
    void stop() { process_ = qemu::Process(); }

  private:
    qemu::Process process_; // its end ends passt
};

// Its command line, with the socket as descriptor `socket`.
std::vector<std::string> passt_command_line(const NicConfig& nic, const std::vector<net::PortMapping>& ports,
                                            int socket);

} // namespace hrun::monitor
