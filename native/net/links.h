// SPDX-License-Identifier: Apache-2.0
// The network interfaces of a network namespace: bridges, and the ports that machines are connected to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/netlink.h"
#include "net/rate_limits.h"
#include "net/source_filter.h"

namespace hrun::net {

struct Link {
    int index;
    std::string name;
    std::string kind; // "bridge", "tun", ...; "" of hardware
    bool up;
    uint32_t mtu;
    int bridge; // index of the bridge that it is a port of, or 0
    Mac mac;    // zeros of what has none
};

struct Bridge {
    std::string name;
    std::vector<Address> addresses;
    uint32_t mtu;
};

// How a machine is connected to a bridge.
struct Port {
    std::string bridge;
    Source source; // the only addresses that its packets may come from
    uint32_t mtu;
    Rates rates;
};

// How a machine is joined to an interface that others have made, in a network namespace of its own.
struct Wire {
    std::string interface;
    Source source; // the only addresses that its packets may come from
    uint32_t mtu;
    Rates rates;
};

class Links {
  public:
    // Of this thread's network namespace. All that changes anything needs CAP_NET_ADMIN.
    static Result<Links> open();

    Result<std::vector<Link>> list();
    Result<std::optional<Link>> find(const std::string& name);
    // Makes the bridge if there is none, with a MAC address of its own, and gives it what it lacks. Addresses that others gave it stay. EEXIST when an
    // interface of another kind has the name.
    Result<void> ensure_bridge(const Bridge& bridge);
    // Makes the interface `name` a port: packets from other addresses than its own do not pass, and the bridge does not
    // learn but knows where the MAC address is. Brings it up. What was set here goes with the interface.
    Result<void> connect(const std::string& name, const Port& port);
    // Makes a wire of `name` and the other interface: what one lets in leaves by the other, and the namespace itself hears nothing of it. Packets
    // from other addresses than its own do not pass. Brings it up. ENODEV when there is no such interface.
    Result<void> splice(const std::string& name, const Wire& wire);
    // Of a tap interface of several queues, before it is connected: has it keep packets in these alone. By default the kernel gives it a queue
    // of its own for each of the 256 that it could have, which takes 1.5 ms and 3 MB.
    Result<void> keep_no_packets(const std::string& name);
    // Changes the rates of a port.
    Result<void> limit(const std::string& name, const Rates& rates);
    // One that is gone already is fine.
    Result<void> remove(const std::string& name);

  private:
    explicit Links(Netlink netlink) : netlink_(std::move(netlink)) {}
    Result<int> index_of(const std::string& name);
    Result<void> create_bridge(const Bridge& bridge);
    Result<void> add_address(int index, const std::string& name, const Address& address);
    Result<void> prepare(int index, uint32_t mtu, std::optional<int> bridge, const std::string& what);
    Result<void> lock_port(int index, const std::string& name, const Mac& mac);
    Result<void> raise(int index, const std::string& name, uint32_t mtu);

    Netlink netlink_;
};

} // namespace hrun::net
