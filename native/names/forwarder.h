// SPDX-License-Identifier: Apache-2.0
// Questions that others have to answer: the servers are asked one after the other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "names/exchange.h"

namespace hrun::names {

class Forwarder {
  public:
    using Reply = std::function<void(std::string response)>;

    explicit Forwarder(EventLoop& loop) : loop_(loop) {}

    // Asks for `asker`, an address; `reply` gets the response of the first that has one, else one that says so. It is not
    // called when too many questions are open, of this asker or of all: who asked asks again.
    void ask(uint32_t asker, std::string query, std::vector<std::string> servers, Transport transport,
             Reply reply);

  private:
    struct Pending {
        uint32_t asker;
        std::string query;
        std::vector<std::string> servers;
        Transport transport;
        Reply reply;
        std::unique_ptr<Exchange> exchange;
    };

    void next(uint64_t number);
    void answered(uint64_t number, std::optional<std::string> response);

    EventLoop& loop_;
    uint64_t last_ = 0;
    std::map<uint64_t, Pending> pending_;
};

} // namespace hrun::names
