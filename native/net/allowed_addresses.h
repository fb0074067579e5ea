// SPDX-License-Identifier: Apache-2.0
// Addresses that a machine may reach because a name that it may reach has them: elements of its set in a store's table of
// nf_tables (src/network/egress-rules.ts makes table and set), which go by themselves.
#pragma once

#include <cstdint>
#include <string>

#include "net/address.h"
#include "net/netlink.h"

namespace hrun::net {

class AllowedAddresses {
  public:
    // Of this table, of family inet, in this thread's network namespace.
    static Result<AllowedAddresses> open(std::string table);

    // Lets the machine of this id, 64 hexadecimal digits, reach an address for so many seconds from now on. Needs
    // CAP_NET_ADMIN. ENOENT when it has no set, ENFILE when that is full.
    Result<void> allow(const std::string& id, const Ip& address, uint32_t seconds);

  private:
    AllowedAddresses(std::string table, Netlink netlink)
        : table_(std::move(table)), netlink_(std::move(netlink)) {}
    Message element(uint16_t change, bool last, const std::string& set, const Ip& address,
                    uint32_t seconds) const;

    std::string table_;
    Netlink netlink_;
};

} // namespace hrun::net
