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

    // Has a subsystem of NETLINK_NETFILTER (NFNL_SUBSYS_*) carry out all of the messages or, when one fails, none. Only
    // the last may have NLM_F_ACK, and must.
    Result<void> transaction(std::span<Message> messages, uint8_t subsystem, const std::string& what);

  private:
    explicit Netlink(Fd socket) : socket_(std::move(socket)) {}
    Result<void> send(std::span<const std::byte> bytes, const std::string& what);
    Result<void> await(const std::string& what,
                       const std::function<void(uint16_t, std::span<const std::byte>)>& entry);
    Result<bool> receive(const std::string& what,
                         const std::function<void(uint16_t, std::span<const std::byte>)>& entry);

    Fd socket_;
    uint32_t sequence_ = 0;
};

} // namespace hrun::net
