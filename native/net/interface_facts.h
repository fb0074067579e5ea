// SPDX-License-Identifier: Apache-2.0
// What somebody else has made of an interface: its addresses, and the routes that lead out by it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace hrun::net {

struct HeldAddress {
    Address address;
    bool
        connected; // its network is reached directly: the kernel made the route to it, and nobody took that away
};

struct Route {
    Address destination; // prefix 0: everything
    std::optional<Ip> gateway;
    bool on_link; // the gateway is reached directly, whatever other routes say
    uint32_t metric;
};

struct InterfaceFacts {
    Mac mac;
    uint32_t mtu;
    bool up;
    std::vector<HeldAddress> addresses; // without IPv6's link-local ones, which the MAC address makes
    std::vector<Route> routes; // of the main table, without those that the kernel makes of the addresses
};

// Of an interface of this thread's network namespace; nothing when there is none of that name. Routes to several gateways at once, and by a
// gateway of the other family, are passed over.
Result<std::optional<InterfaceFacts>> describe_interface(const std::string& name);

} // namespace hrun::net
