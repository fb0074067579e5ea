// SPDX-License-Identifier: Apache-2.0
// Ports of the host that lead to machines: elements of the maps in a store's table of nf_tables (src/network/rules.ts makes
// table and maps). An element comes and goes without the rest of the table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace hrun::net {

using Ipv4 = std::array<std::byte, 4>; // network order

struct PortMapping {
    uint8_t protocol; // IPPROTO_TCP or IPPROTO_UDP
    Ipv4 host;        // zeros: every address of the host
    uint16_t host_port;
    Ipv4 address;
    uint16_t port;
};

constexpr size_t kMaxPortMappings = 1024; // what one message holds

// Adds the mappings, all or none. What a port was mapped to before goes: whoever has the port on the host may say so. ENOENT
// when the table is not there.
Result<void> map_ports(const std::string& table, std::span<const PortMapping> mappings);
// Removes them; those that are gone already are fine.
Result<void> unmap_ports(const std::string& table, std::span<const PortMapping> mappings);

} // namespace hrun::net
