// SPDX-License-Identifier: Apache-2.0
// Ports of the host that lead to machines: elements of the maps in a store's table of nf_tables (src/network/rules.ts makes
// table and maps). An element comes and goes without the rest of the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/netlink.h"

namespace hrun::net {

struct PortMapping {
    uint8_t protocol; // IPPROTO_TCP or IPPROTO_UDP
    Ip host;          // 0.0.0.0, ::: every address of the host of this family
    uint16_t host_port;
    Ip address; // of the same family
    uint16_t port;
};

constexpr size_t kMaxPortMappings = 1024; // of a machine, in each family

// Keep it after a removal: the end of its socket waits until the kernel has cleared away, some 10 ms.
class PortMap {
  public:
    // Of this table, of family inet, in this thread's network namespace.
    static Result<PortMap> open(std::string table);

    // Adds the mappings, all or none. What a port was mapped to before goes: whoever has the port on the host may say so.
    // ENOENT when the table is not there.
    Result<void> add(std::span<const PortMapping> mappings);
    // Removes them; those that are gone already are fine.
    Result<void> remove(std::span<const PortMapping> mappings);

  private:
    enum class Change : uint16_t;
    using Mappings = std::span<const PortMapping>;

    PortMap(std::string table, Netlink netlink) : table_(std::move(table)), netlink_(std::move(netlink)) {}
    Result<void> apply(Change change, std::span<const PortMapping> mappings);
    Result<void> remove_each(std::span<const PortMapping> mappings);
    Message message_for(Change change, const char* map, bool last, Mappings mappings) const;

    std::string table_;
    Netlink netlink_;
};

} // namespace hrun::net
