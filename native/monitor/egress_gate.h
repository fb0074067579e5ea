// SPDX-License-Identifier: Apache-2.0
// What a name server in its jail may have done for it: the addresses of a name that a container may reach are let through. A process of its
// own with CAP_NET_ADMIN, a few system calls and nothing else; it adds addresses to sets of restricted containers, and can do no more.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "names/dns_message.h"

namespace hrun::monitor {

class EgressGate {
  public:
    // Starts the process, which ends with this one. `table`: of nf_tables, family inet.
    static Result<EgressGate> start(const std::string& table);

    // Lets the container of this id reach the addresses, for their time to live, but for at least five minutes and at most a day. Addresses
    // that name no host out there (loopback, link-local, multicast) are passed over. False when one cannot be let through.
    bool allow(const std::string& id, const std::vector<names::FoundAddress>& addresses) const;

  private:
    explicit EgressGate(Fd link) : link_(std::move(link)) {}

    Fd link_;
};

} // namespace hrun::monitor
