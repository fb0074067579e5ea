// SPDX-License-Identifier: Apache-2.0
#include "monitor/join_link.h"

#include <sys/socket.h>

#include "base/passed_descriptors.h"
#include "monitor/frame_watch.h"

namespace hrun::monitor {

Result<void> JoinLink::begin(Fd socket, std::string_view frames) {
    auto watch = watch_frames(
        loop_, socket.get(), [this] { flush(); }, [this] { receive(); });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    socket_ = std::move(socket);
    outbox_.push(frames);
    flush();
    return {};
}

void JoinLink::part() {
    outbox_.push(frame(HRUN_PART));
    flush();
}

// Not by the outbox: the descriptor goes with these bytes. What is before them in there is a few bytes that any socket takes.
Result<void> JoinLink::pass(int descriptor) {
    std::string bytes = frame(HRUN_AGENT);
    const iovec part{bytes.data(), bytes.size()};
    if (!socket_.valid() || !outbox_.empty())
        return Error{EAGAIN, "connect to the agent"};
    return send_passing(socket_.get(), {&part, 1}, {&descriptor, 1}, MSG_DONTWAIT);
}

void JoinLink::flush() {
    if (socket_.valid()) [[maybe_unused]]
        const auto sent = outbox_.flush(socket_.get()); // a lost peer is noticed by receive()
}

void JoinLink::receive() {
    if (!socket_.valid())
        return;
    tell_again(watch_);
    auto more = reader_.read(socket_.get(), [this](const Frame& frame) { return handle(frame); });
    if (parted_ || !more || !*more)
        close();
}

void JoinLink::close() {
    watch_.reset();
    socket_.reset();
    if (!parted_)
        events_.gone();
}

Result<void> JoinLink::handle(const Frame& frame) {
    const Error broken{EPROTO, "frame " + std::to_string(frame.type)};
    if (parted_ || (!std::exchange(greeted_, true) && !is_hello(frame)))
        return broken;
    uint32_t answer;
    hrun_error error;
    switch (frame.type) {
    case HRUN_HELLO:
        return {};
    case HRUN_JOINED:
        if (std::exchange(joined_, true) || !frame.get(answer))
            return broken;
        events_.joined(answer);
        return {};
    case HRUN_PARTED:
        parted_ = true;
        events_.parted();
        return {};
    case HRUN_ERROR:
        if (frame.payload.size() < sizeof error)
            return broken;
        frame.payload.copy(reinterpret_cast<char*>(&error), sizeof error);
        events_.failed(error.kind, std::string(frame.payload.substr(sizeof error)));
        return {};
    default:
        return broken;
    }
}

} // namespace hrun::monitor
