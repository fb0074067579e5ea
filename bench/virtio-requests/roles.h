// SPDX-License-Identifier: Apache-2.0
// The processes of bench/virtio-requests.ts. Each runs until it is killed or has done its part, and returns an exit code.
#pragma once

#include <cstdint>
#include <string>

namespace hrun::bench {

// What a machine is made of.
struct MachineParts {
    std::string guest;
    std::string disk;      // empty: one that does nothing (InstantDisk)
    std::string directory; // of its vsock device
    std::string tap;       // the host's end of its network interface
};

// A machine with these devices. Standard input and output are its serial port.
int run_machine(const MachineParts& parts);

// The vsock device alone, behind vhost-user: for one front end, which connects to vhost.sock in `directory`.
int run_backend(const std::string& directory);

// A program of the host that talks to the guest: connects to a Unix socket, and to `port` behind it by the hybrid vsock
// convention unless that is 0. `what` is p, to send back each byte that comes, u, to read, or d, to write; `bytes` in all.
int run_peer(const std::string& socket, uint32_t port, char what, uint64_t bytes);

// Sends frames of Ethertype 0x88b5 that come from an interface back as they are, as often as they say. Says "ready" first.
int run_echo(const std::string& interface);

} // namespace hrun::bench
