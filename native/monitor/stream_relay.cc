// SPDX-License-Identifier: Apache-2.0
#include "monitor/stream_relay.h"

#include <sys/socket.h>

#include <vector>

namespace hrun::monitor {

namespace {

constexpr size_t kPart = 65536;
constexpr int kPartsATurn = 16; // then others have theirs

} // namespace

StreamRelay::StreamRelay(EventLoop& loop, Fd one, Fd other, Gone gone) : loop_(loop), gone_(std::move(gone)) {
    one_.socket = std::move(one);
    other_.socket = std::move(other);
    for (Side* side : {&one_, &other_})
        if (auto watch = loop_.watch(side->socket.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                     [this, side](uint32_t events) {
                                         side->is_open |= (events & EPOLLOUT) != 0;
                                         pump();
                                     }))
            side->watch = std::move(*watch);
}

// Who has said all before there is a connection to pass it on has its turn then: the end of one that is not yet open would be the end of it.
void StreamRelay::pump() {
    if (!one_.is_open || !other_.is_open)
        return;
    const bool fine = pass_on(one_, other_) && pass_on(other_, one_);
    if (fine && !(one_.is_told && other_.is_told))
        return;
    one_.watch.reset();
    other_.watch.reset();
    turn_.reset();
    const Gone gone = std::move(gone_);
    gone(); // nothing of this object after it
}

// Until there is nothing to read or no room to write: the kernel tells when that has changed. False when an end has failed.
bool StreamRelay::pass_on(Side& from, Side& to) {
    std::vector<char> part(kPart);
    for (int count = 0; count < kPartsATurn; ++count) {
        if (to.unsent.empty() && !from.has_ended) {
            const ssize_t size = recv(from.socket.get(), part.data(), part.size(), 0);
            if (size < 0)
                return errno == EAGAIN;
            from.has_ended = size == 0;
            to.unsent.assign(part.data(), static_cast<size_t>(size));
        }
        if (to.unsent.empty()) {
            if (!to.is_told && shutdown(to.socket.get(), SHUT_WR) < 0)
                return false;
            return to.is_told = true;
        }
        const ssize_t size = send(to.socket.get(), to.unsent.data(), to.unsent.size(), MSG_NOSIGNAL);
        if (size < 0)
            return errno == EAGAIN;
        to.unsent.erase(0, static_cast<size_t>(size));
    }
    turn_ = loop_.after({}, [this] { pump(); });
    return true;
}

} // namespace hrun::monitor
