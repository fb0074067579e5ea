// SPDX-License-Identifier: Apache-2.0
// One question to one DNS server, by UDP or TCP.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/event_loop.h"

namespace hrun::names {

enum class Transport { kUdp, kTcp };

class Exchange {
  public:
    // Gets the response, with the query's id; nothing when there is none.
    using Done = std::function<void(std::optional<std::string> response)>;

    // `server` is an IP address. Each exchange has a port and an id of its own that nobody can guess. `done` is called once,
    // from the loop, and may destroy the exchange.
    Exchange(EventLoop& loop, const std::string& server, Transport transport, std::string query, Done done);

  private:
    bool open(const std::string& server);
    void ready(uint32_t events);
    void send();
    void receive();
    bool is_complete() const;
    void finish(std::optional<std::string> response);

    EventLoop& loop_;
    Transport transport_;
    uint16_t id_; // the query's own
    std::string query_;
    std::string unsent_;
    std::string received_;
    Done done_;
    Fd socket_;
    Watch watch_;
    Timer limit_;
};

} // namespace hrun::names
