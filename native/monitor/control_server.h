// SPDX-License-Identifier: Apache-2.0
// control.sock and the clients on it.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "base/event_loop.h"
#include "base/fd.h"
#include "monitor/client.h"

namespace hrun::monitor {

class ControlServer {
  public:
    static constexpr size_t kMaxClients = 64;

    ControlServer(EventLoop& loop, int directory, ClientEvents& events)
        : loop_(loop), directory_(directory), events_(events) {}

    static constexpr char kName[] = "control.sock";

    // Takes clients from `listener`, which is bound to control.sock, and `first`, if valid, as the first client.
    Result<void> listen(Fd listener, Fd first);
    // No client can connect any more; those that are there stay.
    void close();
    // Clients that connect from now on are another process's.
    void leave();

    std::list<Client>& clients() { return clients_; }
    void remove(const Client& client);
    // Up to which position no client needs the output any more; nothing when none needs it at all.
    std::optional<uint64_t> needed_from(size_t output) const;

  private:
    void accept_clients();
    void add(Fd socket, bool first);

    EventLoop& loop_;
    int directory_;
    ClientEvents& events_;
    Fd listener_;
    Watch watch_;
    std::list<Client> clients_;
};

} // namespace hrun::monitor
