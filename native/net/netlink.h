// SPDX-License-Identifier: Apache-2.0
// A netlink socket: one question at a time, answered by the kernel.
#pragma once

#include <functional>

#include "base/fd.h"
#include "base/result.h"
#include "net/message.h"

namespace hrun::net {

class Netlink {
  public:
    // A socket of this protocol (NETLINK_*) in this thread's network namespace.
    static Result<Netlink> open(int protocol = NETLINK_ROUTE);

    // Has the kernel carry a request out. The error is the kernel's, `what` what was attempted.
    Result<void> request(Message& message, const std::string& what);
    // Asks for a list (NLM_F_DUMP): `entry` gets the type and the payload of each message that comes.
    Result<void> dump(Message& message, const std::string& what,
                      const std::function<void(uint16_t, std::span<const std::byte>)>& entry);

  private:
    explicit Netlink(Fd socket) : socket_(std::move(socket)) {}
    Result<void> send(Message& message, const std::string& what);
    Result<bool> receive(const std::string& what,
                         const std::function<void(uint16_t, std::span<const std::byte>)>& entry);

    Fd socket_;
    uint32_t sequence_ = 0;
};

} // namespace hrun::net
