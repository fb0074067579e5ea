// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/vsock_stream.h"

#include <sys/socket.h>

#include <algorithm>

namespace hrun::virtio {

namespace {

size_t total(std::span<const iovec> parts) {
    size_t sum = 0;
    for (const iovec& part : parts)
        sum += part.iov_len;
    return sum;
}

msghdr message(std::span<const iovec> parts) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data()); // sendmsg and recvmsg do not change it
    message.msg_iovlen = std::min<size_t>(parts.size(), IOV_MAX);
    return message;
}

} // namespace

// Edge-triggered: registered once, one wake-up per change, however long the guest leaves the socket full.
Result<void> VsockStream::watch(EventLoop& loop, EventLoop::Callback changed) {
    watch_.reset();
    auto watch = loop.watch(socket_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                            [this, changed = std::move(changed)](uint32_t events) {
                                readable_ |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
                                writable_ |= (events & EPOLLOUT) != 0;
                                ended_ |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
                                if (events & (EPOLLHUP | EPOLLERR))
                                    lose_reader();
                                changed();
                            });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    return {};
}

bool VsockStream::send(std::span<const iovec> bytes, size_t size) {
    if (size > pending_.room())
        return false;
    if (write_closed_) {
        forwarded_ += static_cast<uint32_t>(size);
        return true;
    }
    size_t written = pending_.empty() ? write(bytes) : 0;
    for (const iovec& part : bytes) {
        const size_t skip = std::min(written, part.iov_len);
        written -= skip;
        // SAFETY: segments of a checked chain; room for all of them was checked above.
        pending_.append(static_cast<const std::byte*>(part.iov_base) + skip, part.iov_len - skip);
    }
    if (write_closed_)
        lose_reader();
    return true;
}

void VsockStream::flush() {
    while (!pending_.empty()) {
        const auto parts = pending_.contents();
        const size_t written = write(parts);
        pending_.consume(written);
        if (write_closed_)
            lose_reader();
        if (written == 0)
            break;
    }
    finish_if_drained();
}

void VsockStream::finish_sending() {
    finishing_ = true;
    finish_if_drained();
}

size_t VsockStream::receive(std::span<const iovec> to) {
    if (!readable())
        return 0;
    msghdr into = message(to);
    const ssize_t count = recvmsg(socket_.get(), &into, MSG_DONTWAIT);
    if (count > 0) {
        // A short read has emptied the socket, and the next byte raises a new edge; the end that was announced
        // with the last bytes does not.
        readable_ = ended_ || static_cast<size_t>(count) == total(to);
        return static_cast<size_t>(count);
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        readable_ = errno == EINTR;
    else
        read_closed_ = true;
    return 0;
}

void VsockStream::stop_receiving() {
    read_closed_ = true;
    shutdown(socket_.get(), SHUT_RD);
}

size_t VsockStream::write(std::span<const iovec> bytes) {
    if (write_closed_ || !writable_)
        return 0;
    const msghdr from = message(bytes);
    const ssize_t count = sendmsg(socket_.get(), &from, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
        writable_ = errno == EINTR;
        write_closed_ = errno != EAGAIN && errno != EINTR;
        return 0;
    }
    forwarded_ += static_cast<uint32_t>(count);
    return static_cast<size_t>(count);
}

// Nobody will read what is kept: it counts as passed on, so that the guest gets its credit back.
void VsockStream::lose_reader() {
    write_closed_ = true;
    forwarded_ += static_cast<uint32_t>(pending_.size());
    pending_.consume(pending_.size());
}

void VsockStream::finish_if_drained() {
    if (finishing_ && pending_.empty() && !write_closed_)
        shutdown(socket_.get(), SHUT_WR);
}

} // namespace hrun::virtio
