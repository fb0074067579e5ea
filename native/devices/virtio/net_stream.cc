// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/net_stream.h"

#include <endian.h>
#include <limits.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace hrun::virtio {

namespace {

ssize_t send_parts(int socket, std::span<const iovec> parts) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data()); // sendmsg does not change it
    message.msg_iovlen = std::min<size_t>(parts.size(), IOV_MAX);
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

} // namespace

Result<void> NetStream::watch(EventLoop& loop, EventLoop::Callback changed) {
    auto watch = loop.watch(socket_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                            [this, changed = std::move(changed)](uint32_t) {
                                flush();
                                changed();
                            });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    return {};
}

NetBackend::Status NetStream::lose() {
    connected_ = false;
    watch_.reset();
    rest_.consume(rest_.size());
    return Status::kLost;
}

// ---- towards the network

// The socket may take a part of a packet; the rest is kept here, and nothing else is sent before it. It is copied out of
// guest memory at once, so that the guest's buffer goes back whatever the peer does.
NetBackend::Status NetStream::send(std::span<const iovec> parts) {
    if (!connected_)
        return Status::kLost;
    if (!flush())
        return connected_ ? Status::kBusy : Status::kLost;
    uint32_t length = 0;
    for (const iovec& part : parts.subspan(1)) // without the header
        length += static_cast<uint32_t>(part.iov_len);
    uint32_t prefix = htobe32(length);
    std::vector<iovec> packet(parts.begin(), parts.end());
    packet[0] = {&prefix, sizeof prefix};
    const ssize_t sent = send_parts(socket_.get(), packet);
    if (sent < 0)
        return errno == EAGAIN ? Status::kBusy : lose();
    auto skip = static_cast<size_t>(sent);
    for (const iovec& part : packet) {
        const size_t done = std::min(skip, part.iov_len);
        skip -= done;
        // SAFETY: the caller's segments of a checked chain; rest_ has room for any packet.
        rest_.append(static_cast<const std::byte*>(part.iov_base) + done, part.iov_len - done);
    }
    return Status::kDone;
}

// True when nothing of an earlier packet is left.
bool NetStream::flush() {
    while (!rest_.empty()) {
        const ssize_t sent = send_parts(socket_.get(), rest_.contents());
        if (sent < 0 && errno != EAGAIN)
            lose();
        if (sent < 0)
            return false;
        rest_.consume(static_cast<size_t>(sent));
    }
    return true;
}

// ---- from the network

NetBackend::Status NetStream::receive(std::span<std::byte> buffer, size_t& size) {
    for (;;) {
        const std::optional<uint32_t> length = next_length();
        if (!connected_ ||
            (length && (*length < kEthernetHeader || sizeof(NetHeader) + *length > buffer.size())))
            return lose(); // no length of a packet: the stream has no meaning any more
        if (length && available() >= kLengthBytes + *length) {
            memset(buffer.data(), 0, sizeof(NetHeader));
            memcpy(buffer.data() + sizeof(NetHeader), received_.get() + begin_ + kLengthBytes, *length);
            begin_ += kLengthBytes + *length;
            size = sizeof(NetHeader) + *length;
            return Status::kDone;
        }
        if (const Status status = fill(); status != Status::kDone)
            return status;
    }
}

// What the stream says of the next packet, when that has come.
std::optional<uint32_t> NetStream::next_length() const {
    uint32_t length;
    if (available() < kLengthBytes)
        return std::nullopt;
    memcpy(&length, received_.get() + begin_, sizeof length);
    return be32toh(length);
}

// Reads what there is; kBusy when there is nothing now.
NetBackend::Status NetStream::fill() {
    if (!received_)
        received_ = std::make_unique_for_overwrite<std::byte[]>(kBuffer);
    if (begin_ > 0) {
        memmove(received_.get(), received_.get() + begin_, available());
        end_ -= begin_;
        begin_ = 0;
    }
    ssize_t got;
    do
        got = recv(socket_.get(), received_.get() + end_, kBuffer - end_, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return Status::kBusy;
    if (got <= 0)
        return lose();
    end_ += static_cast<size_t>(got);
    return Status::kDone;
}

} // namespace hrun::virtio
