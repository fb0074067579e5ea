// SPDX-License-Identifier: Apache-2.0
#include "transport/vhost_user_message.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <utility>

namespace hrun::vhost_user {

namespace {

// Owns the descriptors of a received control message, wanted or not.
void take_fds(msghdr& message, std::vector<Fd>& fds) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; ++i) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            fds.emplace_back(fd);
        }
    }
}

// The caller's control buffer is zeroed and long enough.
void attach_fds(msghdr& message, std::span<const int> fds) {
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(fds.size_bytes());
    memcpy(CMSG_DATA(part), fds.data(), fds.size_bytes());
}

} // namespace

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
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxRegions * sizeof(int))> control;
    iovec part{to.data(), to.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return size_t{0};
    if (count < 0)
        return Error::last("vhost-user: receive");
    take_fds(message, message_.fds);
    if (count == 0)
        return Error{ECONNRESET, "vhost-user: the peer has closed"};
    if ((message.msg_flags & MSG_CTRUNC) || message_.fds.size() > kMaxRegions)
        return Error{EPROTO, "vhost-user: too many descriptors"};
    return static_cast<size_t>(count);
}

Result<void> send_message(int socket, const Header& header, std::span<const std::byte> payload,
                          std::span<const int> fds) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxRegions * sizeof(int))> control{};
    std::array<iovec, 2> parts{iovec{const_cast<Header*>(&header), sizeof header},
                               iovec{const_cast<std::byte*>(payload.data()), payload.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    if (!fds.empty()) {
        message.msg_control = control.data();
        attach_fds(message, fds);
    }
    const ssize_t sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
        return Error::last("vhost-user: send");
    if (static_cast<size_t>(sent) != sizeof header + payload.size())
        return Error{EAGAIN, "vhost-user: send"};
    return {};
}

Result<void> send_reply(int socket, uint32_t request, std::span<const std::byte> payload) {
    return send_message(socket, {request, kFlagVersion | kFlagReply, static_cast<uint32_t>(payload.size())},
                        payload);
}

} // namespace hrun::vhost_user
