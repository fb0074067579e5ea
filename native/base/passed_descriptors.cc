// SPDX-License-Identifier: Apache-2.0
#include "base/passed_descriptors.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace hrun {

namespace {

constexpr size_t kRoom = CMSG_SPACE(kMostPassed * sizeof(int));

// Owns them all, wanted or not.
void take_descriptors(msghdr& message, std::vector<Fd>& fds) {
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

} // namespace

Result<void> send_passing(int socket, std::span<const iovec> parts, std::span<const int> fds, int flags) {
    if (fds.size() > kMostPassed)
        return Error{E2BIG, "send descriptors"};
    alignas(cmsghdr) char control[kRoom]{};
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());
    message.msg_iovlen = parts.size();
    if (!fds.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* const part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(fds.size_bytes());
        memcpy(CMSG_DATA(part), fds.data(), fds.size_bytes());
    }
    const ssize_t sent = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
    if (sent < 0)
        return Error::last("send");
    size_t whole = 0;
    for (const iovec& part : parts)
        whole += part.iov_len;
    return static_cast<size_t>(sent) == whole ? Result<void>() : Error{EAGAIN, "send"};
}

Received receive_passed(int socket, std::span<std::byte> to, size_t most, std::vector<Fd>& fds) {
    alignas(cmsghdr) char control[kRoom]{};
    iovec part{to.data(), to.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(std::min(most, kMostPassed) * sizeof(int));
    const ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count >= 0)
        take_descriptors(message, fds);
    return {count, count >= 0 && (message.msg_flags & MSG_CTRUNC)};
}

} // namespace hrun
