// SPDX-License-Identifier: Apache-2.0
#include "net/netlink.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace hrun::net {

namespace {

constexpr size_t kBuffer = 64 * 1024; // the kernel's own parts of a list are smaller

using Entry = std::function<void(uint16_t, std::span<const std::byte>)>;

// 0 or the errno that an NLMSG_ERROR or NLMSG_DONE carries.
int error_of(std::span<const std::byte> payload) {
    int code = 0;
    if (payload.size() < sizeof code)
        return 0;
    memcpy(&code, payload.data(), sizeof code);
    return -code;
}

} // namespace

Result<Netlink> Netlink::open(int protocol) {
    Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (!socket.valid())
        return Error::last("open a netlink socket");
    return Netlink(std::move(socket));
}

Result<void> Netlink::send(std::span<const std::byte> bytes, const std::string& what) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (sendto(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&kernel),
               sizeof kernel) < 0)
        return Error::last(what);
    return {};
}

// Takes one datagram; true when it held the end of the answer. Messages of an earlier question are passed over.
Result<bool> Netlink::receive(const std::string& what, const Entry& entry) {
    std::vector<std::byte> buffer(kBuffer);
    ssize_t size;
    do
        size = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return Error::last(what);
    std::span<const std::byte> rest(buffer.data(), static_cast<size_t>(size));
    nlmsghdr head;
    while (rest.size() >= sizeof head) {
        memcpy(&head, rest.data(), sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.size())
            return Error{EPROTO, what};
        const auto payload = rest.subspan(sizeof head, head.nlmsg_len - sizeof head);
        rest = rest.subspan(std::min<size_t>(NLMSG_ALIGN(head.nlmsg_len), rest.size()));
        if (head.nlmsg_seq != sequence_)
            continue;
        if (head.nlmsg_type == NLMSG_ERROR || head.nlmsg_type == NLMSG_DONE) {
            if (const int code = error_of(payload))
                return Error{code, what};
            return true;
        }
        entry(head.nlmsg_type, payload);
    }
    return false;
}

Result<void> Netlink::request(Message& message, const std::string& what) {
    return dump(message, what, [](uint16_t, std::span<const std::byte>) {});
}

Result<void> Netlink::dump(Message& message, const std::string& what, const Entry& entry) {
    HRUN_TRY(send(message.bytes(++sequence_), what));
    return await(what, entry);
}

Result<void> Netlink::transaction(std::span<Message> messages, uint8_t subsystem, const std::string& what) {
    nfgenmsg head{};
    head.version = NFNETLINK_V0;
    head.res_id = htons(subsystem);
    Message begin(NFNL_MSG_BATCH_BEGIN, 0, head), end(NFNL_MSG_BATCH_END, 0, head);
    std::vector<std::byte> batch;
    const auto add = [&](Message& message) {
        const auto bytes = message.bytes(sequence_);
        batch.insert(batch.end(), bytes.begin(), bytes.end());
    };
    ++sequence_;
    add(begin);
    std::for_each(messages.begin(), messages.end(), add);
    add(end);
    HRUN_TRY(send(batch, what));
    return await(what, [](uint16_t, std::span<const std::byte>) {});
}

Result<void> Netlink::await(const std::string& what, const Entry& entry) {
    for (;;) {
        auto ended = receive(what, entry);
        if (!ended)
            return ended.error();
        if (*ended)
            return {};
    }
}

} // namespace hrun::net
