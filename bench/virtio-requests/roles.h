// SPDX-License-Identifier: Apache-2.0
// The processes of bench/virtio-requests.ts. Each runs until it is killed or has done its part, and returns an exit code.
#pragma once

#include <cstdint>
#include <string>

namespace hrun::bench {

// A machine with a disk, one that does nothing (InstantDisk) if `disk` is empty, and a vsock device. Standard input and output are
// its serial port.
int run_machine(const std::string& guest, const std::string& disk, const std::string& directory);

// The vsock device alone, behind vhost-user: for one front end, which connects to vhost.sock in `directory`.
int run_backend(const std::string& directory);

// A program of the host that talks to the guest: connects to a Unix socket, and to `port` behind it by the hybrid vsock
// convention unless that is 0. `what` is p, to send back each byte that comes, u, to read, or d, to write; `bytes` in all.
int run_peer(const std::string& socket, uint32_t port, char what, uint64_t bytes);

} // namespace hrun::bench
