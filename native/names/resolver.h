// SPDX-License-Identifier: Apache-2.0
// The DNS server of a network: answers for the machines that are in it now, and asks others for all other names. Only these
// machines get answers; one that is in other networks too is told the names there.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "names/dns_message.h"
#include "names/egress_policy.h"
#include "names/forwarder.h"
#include "names/name_table.h"
#include "names/stream_client.h"

namespace hrun::names {

class Resolver {
  public:
    // Lets the machine of this id reach the addresses, before it is told them; false when that cannot be.
    using Permit = std::function<bool(const std::string& id, const std::vector<FoundAddress>& addresses)>;

    // Listens on port 53 of an address of this host, by UDP and TCP. `network`: the name that machines' names may end in.
    static Result<std::unique_ptr<Resolver>> create(EventLoop& loop, const std::string& address,
                                                    std::string network, Permit permit);

    // Answers from the working directory's records (name_table.h) from now on.
    Result<void> start();

  private:
    Resolver(EventLoop& loop, std::string network, Permit permit)
        : loop_(loop), network_(std::move(network)), permit_(std::move(permit)), forwarder_(loop) {}

    using Reply = Forwarder::Reply;

    std::optional<std::vector<Answer>> answers_for(const Station& asker, const std::vector<Station>& stations,
                                                   const Question& question) const;
    void take_datagram();
    void take_client();
    Reply permitting(const std::string& id, const std::string& query, const Question& question,
                     const Reply& reply) const;
    void answer(uint32_t asker, std::string query, Transport transport, const Reply& reply);

    EventLoop& loop_;
    std::string network_;
    Permit permit_;
    Fd datagrams_;
    Fd listener_;
    Forwarder forwarder_;
    uint64_t last_client_ = 0;
    std::map<uint64_t, std::unique_ptr<StreamClient>> clients_;
    Watch datagram_watch_;
    Watch listener_watch_;
};

// The network's own answer: nothing when the name is none of its machines'.
std::optional<std::vector<Answer>> look_up(const std::vector<Station>& stations, const std::string& network,
                                           const Question& question);

} // namespace hrun::names
