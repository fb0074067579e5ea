// SPDX-License-Identifier: Apache-2.0
// Datagrams of clients to a port, and the answers to each: every client has a socket of its own for as long as it has something to say.
#pragma once

#include <netinet/in.h>

#include <map>
#include <string>

#include "base/event_loop.h"

namespace hrun::monitor {

class DatagramRelay {
  public:
    // `port` and what comes of `open_socket`, connected to where the datagrams are to go, do not block. Datagrams of those that
    // `is_client` does not take are dropped.
    using Open = std::function<Fd()>;
    using IsClient = std::function<bool(const sockaddr_in6&)>;
    DatagramRelay(EventLoop& loop, int port, Open open_socket, IsClient is_client);

  private:
    struct Client {
        sockaddr_in6 address;
        Fd socket;
        Watch watch;
        Timer silence;
    };

    void take();
    Client* client_of(const sockaddr_in6& address);
    void answer(const std::string& key);

    EventLoop& loop_;
    int port_;
    Open open_socket_;
    IsClient is_client_;
    Watch watch_;
    std::map<std::string, Client> clients_; // by the bytes of address and port
};

} // namespace hrun::monitor
