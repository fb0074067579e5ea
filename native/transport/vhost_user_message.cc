// SPDX-License-Identifier: Apache-2.0
#include "transport/vhost_user_message.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "base/passed_descriptors.h"

namespace hrun::vhost_user {

static_assert(kMaxRegions <= kMostPassed);

bool MessageReader::acceptable(const Header& header) const {
    const bool reply = header.flags & kFlagReply;
    return (header.flags & kFlagVersionMask) == kFlagVersion && reply == (side_ == Side::kFrontEnd) &&
           header.size <= kMaxPayload;
}

Result<std::optional<Message>> MessageReader::read(int socket) {
    for (;;) {
        const bool in_header = have_ < sizeof(Header);
        const size_t whole = sizeof(Header) + (in_header ? 0 : message_.header.size);
        if (!in_header && have_ == whole) {
            have_ = 0;
            return std::optional(std::exchange(message_, Message{}));
        }
        auto* header = reinterpret_cast<std::byte*>(&message_.header);
        std::byte* to = in_header ? header + have_ : message_.payload + (have_ - sizeof(Header));
        auto count = receive(socket, {to, whole - have_});
        if (!count)
            return count.error();
        if (*count == 0)
            return std::optional<Message>();
        have_ += *count;
        if (have_ == sizeof(Header) && !acceptable(message_.header))
            return Error{EPROTO, "vhost-user: bad message header"};
    }
}

// 0 when nothing is there now.
Result<size_t> MessageReader::receive(int socket, std::span<std::byte> to) {
    const auto [count, cut] = receive_passed(socket, to, kMaxRegions, message_.fds);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return size_t{0};
    if (count < 0)
        return Error::last("vhost-user: receive");
    if (count == 0)
        return Error{ECONNRESET, "vhost-user: the peer has closed"};
    if (cut || message_.fds.size() > kMaxRegions)
        return Error{EPROTO, "vhost-user: too many descriptors"};
    return static_cast<size_t>(count);
}

Result<void> send_message(int socket, const Header& header, std::span<const std::byte> payload,
                          std::span<const int> fds) {
    const std::array<iovec, 2> parts{iovec{const_cast<Header*>(&header), sizeof header},
                                     iovec{const_cast<std::byte*>(payload.data()), payload.size()}};
    const Result<void> sent = send_passing(socket, parts, fds, MSG_DONTWAIT);
    return sent ? sent : Error{sent.error().code, "vhost-user: send"};
}

Result<void> send_reply(int socket, uint32_t request, std::span<const std::byte> payload) {
    return send_message(socket, {request, kFlagVersion | kFlagReply, static_cast<uint32_t>(payload.size())},
                        payload);
}

} // namespace hrun::vhost_user
