// SPDX-License-Identifier: Apache-2.0
#include "monitor/agent_session.h"

#include <sys/socket.h>

#include <cstring>

#include "monitor/frame_watch.h"

namespace hrun::monitor {

namespace {

constexpr uint32_t kCreditStep = HRUN_INITIAL_CREDIT / 4;
constexpr int kReadsPerTurn = 4;

Error broken(const Frame& frame) {
    return {EPROTO, "agent sent frame " + std::to_string(frame.type)};
}

} // namespace

Result<void> AgentSession::begin(Fd socket, std::string_view configure, std::string_view start) {
    HRUN_TRY(connect(std::move(socket)));
    if (!configure.empty())
        outbox_.push(frame(HRUN_CONFIGURE, configure));
    if (!start.empty())
        outbox_.push(frame(HRUN_START, start));
    flush();
    return {};
}

Result<void> AgentSession::begin_awake(Fd socket, const hrun_wake& wake, std::string_view identity) {
    HRUN_TRY(connect(std::move(socket)));
    this->wake(wake, identity);
    return {};
}

// `wake` says how much is taken from here on.
void AgentSession::wake(const hrun_wake& wake, std::string_view identity) {
    owed_ = {};
    send(frame(HRUN_WAKE, std::string(bytes_of(wake)).append(identity)));
}

Result<void> AgentSession::connect(Fd socket) {
    auto watch = watch_frames(
        loop_, socket.get(), [this] { flush(); }, [this] { receive(); });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    socket_ = std::move(socket);
    reader_ = FrameReader();
    outbox_ = Outbox();
    greeted_ = false;
    outbox_.push(hello_frame());
    return {};
}

void AgentSession::send_input(std::string_view bytes) {
    input_credit_ -= bytes.size();
    send(frame(HRUN_DATA, bytes, HRUN_STDIN));
}

void AgentSession::credit(uint8_t stream, size_t bytes) {
    owed_[stream] += static_cast<uint32_t>(bytes);
    if (owed_[stream] >= kCreditStep)
        send(frame_of(HRUN_CREDIT, std::exchange(owed_[stream], 0), stream));
}

void AgentSession::send(std::string_view bytes) {
    outbox_.push(bytes);
    flush();
}

void AgentSession::flush() {
    if (socket_.valid()) [[maybe_unused]]
        const auto sent = outbox_.flush(socket_.get()); // a lost peer is noticed by receive()
}

void AgentSession::drain() {
    char byte;
    while (socket_.valid() && recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
        receive();
}

void AgentSession::receive() {
    tell_again(watch_);
    for (int i = 0; i < kReadsPerTurn && socket_.valid(); ++i) {
        auto more = reader_.read(socket_.get(), [this](const Frame& frame) { return handle(frame); });
        if (!more)
            return close(more.error());
        if (!*more)
            return close({ECONNRESET, "agent closed the connection"});
    }
}

void AgentSession::close(const Error& error) {
    watch_.reset();
    socket_.reset();
    events_.agent_gone(error);
}

Result<void> AgentSession::handle(const Frame& frame) {
    if (!std::exchange(greeted_, true)) {
        if (!is_hello(frame))
            return Error{EPROTO, "agent of another version"};
        events_.agent_connected();
        return {};
    }
    switch (frame.type) {
    case HRUN_CONFIGURED:
        events_.agent_configured();
        return {};
    case HRUN_STARTED:
        return handle_started(frame);
    case HRUN_DATA:
        return frame.stream == HRUN_STDIN ? broken(frame) : events_.agent_output(frame.stream, frame.payload);
    case HRUN_CREDIT:
        return handle_credit(frame);
    case HRUN_EXIT:
        if (hrun_exit exit; frame.get(exit)) {
            events_.agent_exit(exit);
            return {};
        }
        return broken(frame);
    case HRUN_ERROR:
        return handle_error(frame);
    case HRUN_PAUSED:
    case HRUN_RESUMED:
        events_.agent_paused(frame.type == HRUN_PAUSED);
        return {};
    case HRUN_SUSPENDED:
        return events_.agent_suspended(frame.payload);
    case HRUN_AWAKE:
        return handle_awake(frame);
    case HRUN_SHUTDOWN_DONE:
        events_.agent_shutdown_done();
        return {};
    default:
        return broken(frame);
    }
}

Result<void> AgentSession::handle_started(const Frame& frame) {
    uint32_t pid;
    if (!frame.get(pid))
        return broken(frame);
    events_.agent_started(pid);
    return {};
}

Result<void> AgentSession::handle_awake(const Frame& frame) {
    hrun_awake awake;
    if (!frame.get(awake) || awake.input > HRUN_INITIAL_CREDIT)
        return broken(frame);
    input_credit_ = HRUN_INITIAL_CREDIT - awake.input;
    return events_.agent_awake(awake.pid);
}

Result<void> AgentSession::handle_error(const Frame& frame) {
    hrun_error error;
    if (frame.payload.size() < sizeof error)
        return broken(frame);
    memcpy(&error, frame.payload.data(), sizeof error);
    events_.agent_error(error, frame.payload.substr(sizeof error));
    return {};
}

Result<void> AgentSession::handle_credit(const Frame& frame) {
    uint32_t bytes;
    if (frame.stream != HRUN_STDIN || !frame.get(bytes) || bytes > HRUN_INITIAL_CREDIT - input_credit_)
        return broken(frame);
    input_credit_ += bytes;
    events_.agent_input_room();
    return {};
}

} // namespace hrun::monitor
