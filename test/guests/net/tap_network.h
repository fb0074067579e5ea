// SPDX-License-Identifier: Apache-2.0
// A network namespace of a test's own with one tap interface in it, and sockets that belong there.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::test {

using MacAddress = std::array<uint8_t, 6>;

struct TapNetwork {
    std::vector<Fd> queues; // of the interface, 10.0.0.1/24, up
    std::vector<Fd> flows;  // UDP, connected to port 7 of 10.0.0.2, which is at the given address
    Fd packets;             // all packets of the interface, with a virtio_net_hdr each way (PACKET_VNET_HDR)
    int index;              // of the interface
};

// Makes one with so many of each; this thread stays where it is. EPERM where namespaces may not be made.
Result<TapNetwork> make_tap_network(const MacAddress& guest, size_t queues, size_t flows);

} // namespace hrun::test
