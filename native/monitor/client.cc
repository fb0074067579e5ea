// SPDX-License-Identifier: Apache-2.0
#include "monitor/client.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/passed_descriptors.h"
#include "monitor/config.h"
#include "monitor/frame_watch.h"

namespace hrun::monitor {

namespace {

constexpr uint32_t kKnownFlags = HRUN_ATTACH_STDIN | HRUN_ATTACH_STDOUT | HRUN_ATTACH_STDERR;
constexpr uint32_t kKnownStopFlags = HRUN_STOP_FOR_HOST;
constexpr uint32_t kOutputFlags[] = {HRUN_ATTACH_STDOUT, HRUN_ATTACH_STDERR};
constexpr size_t kOutboxLimit = 128 * 1024;        // no output is added beyond this: the client does not read
constexpr uint32_t kLastSlot = 22, kLeastMtu = 68; // as in vm.json
constexpr uint32_t kCreditStep = HRUN_INITIAL_CREDIT / 4;

static_assert(FrameReader::kMaxDescriptors == kMostQueuePairs + 1);

uint8_t stream_of(size_t output) {
    return static_cast<uint8_t>(output + HRUN_STDOUT);
}

Error broken(const Frame& frame) {
    return {EPROTO, "client sent frame " + std::to_string(frame.type)};
}

} // namespace

void ClientEvents::client_plug(Client& client, const hrun_plug&, std::vector<Fd>) {
    client.send(nothing_runs());
}

void ClientEvents::client_unplug(Client& client, uint32_t) {
    client.send(nothing_runs());
}

void ClientEvents::client_joins(Client& client, JoinRequest) {
    client.send(nothing_runs());
}

void ClientEvents::client_checkpoint(Client& client, Fd) {
    client.send(nothing_runs());
}

void ClientEvents::client_release(Client& client, bool) {
    client.send(nothing_runs());
}

Client::Client(EventLoop& loop, ClientEvents& events, Fd socket, bool first)
    : loop_(loop), events_(events), socket_(std::move(socket)), first_(first) {}

Result<void> Client::start() {
    auto watch = watch_frames(
        loop_, socket_.get(),
        [this] {
            if (outbox_.empty())
                return;
            send({});
            events_.client_ready();
        },
        [this] { receive(); });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    outbox_.push(hello_frame());
    send({});
    return {};
}

std::optional<uint64_t> Client::needs(size_t output) const {
    if (gone_ || (flags_ ? !wants(output) : !first_))
        return std::nullopt;
    return position_[output];
}

bool Client::wants(size_t output) const {
    return flags_ && (*flags_ & kOutputFlags[output]);
}

void Client::attach(const Outputs& outputs, hrun_attached_state state) {
    if (!first_)
        position_ = {outputs[0].end(), outputs[1].end()};
    send(frame_of(HRUN_ATTACHED, hrun_attached{static_cast<uint32_t>(state)}));
}

void Client::pump(const Outputs& outputs) {
    if (gone_ || !attached())
        return;
    bool complete = true;
    for (size_t i = 0; i < outputs.size(); ++i)
        complete = (!wants(i) || pump_stream(outputs[i], i)) && complete;
    if (complete && !last_frame_.empty() && !last_sent_) {
        outbox_.push(last_frame_);
        last_sent_ = true;
    }
    send({});
}

// True when the client has been sent the whole of the stream so far.
bool Client::pump_stream(const Output& output, size_t index) {
    while (position_[index] < output.end()) {
        const size_t size = std::min<size_t>(credit_[index], HRUN_MAX_DATA);
        if (size == 0 || outbox_.size() > kOutboxLimit)
            return false;
        const std::string_view bytes = output.read(position_[index], size);
        send(frame(HRUN_DATA, bytes, stream_of(index)));
        position_[index] += bytes.size();
        credit_[index] -= bytes.size();
    }
    if (output.ended() && !std::exchange(end_sent_[index], true))
        send(frame(HRUN_DATA, {}, stream_of(index)));
    return true;
}

// The first client is about to say what it wants, also when the machine has failed before it could. Any other that has
// not attached has no output to wait for.
bool Client::say_gone(std::string_view gone_frame) {
    if (gone_)
        return true;
    if (first_ && !attached())
        return false;
    if ((last_sent_ || !attached()) && !std::exchange(gone_sent_, true))
        send(gone_frame);
    return gone_ || (gone_sent_ && outbox_.empty());
}

void Client::send(std::string_view frames) {
    if (gone_)
        return;
    outbox_.push(frames);
    if (!outbox_.flush(socket_.get()))
        leave();
}

bool Client::send_descriptor(std::string_view frame, int descriptor) {
    send({}); // what waits goes first
    std::string bytes(frame);
    const iovec part{bytes.data(), bytes.size()};
    return !gone_ && outbox_.empty() &&
           static_cast<bool>(send_passing(socket_.get(), {&part, 1}, {&descriptor, 1}, MSG_DONTWAIT));
}

void Client::credit_input(size_t bytes) {
    input_owed_ += static_cast<uint32_t>(bytes);
    if (input_owed_ >= kCreditStep)
        send(frame_of(HRUN_CREDIT, std::exchange(input_owed_, 0), HRUN_STDIN));
}

void Client::receive() {
    tell_again(watch_);
    const auto more = reader_.read(socket_.get(), [this](const Frame& frame) { return handle(frame); });
    if (!more && !gone_) {
        const hrun_error error{HRUN_ERROR_PROTOCOL, static_cast<uint32_t>(more.error().code)};
        send(frame(HRUN_ERROR, std::string(bytes_of(error)) + more.error().what));
    }
    if (!more || !*const_cast<Result<bool>&>(more))
        leave();
    else
        events_.client_ready();
}

// Reported from the loop, never from inside a call of the owner's.
void Client::leave() {
    if (std::exchange(gone_, true))
        return;
    watch_.reset();
    shutdown(socket_.get(), SHUT_RDWR); // the keeper holds the first client's socket too
    departure_ = loop_.after({}, [this] { events_.client_gone(*this); });
}

Result<void> Client::handle(const Frame& frame) {
    if (!std::exchange(greeted_, true))
        return is_hello(frame) ? Result<void>() : Result<void>(Error{EPROTO, "client of another version"});
    uint32_t number;
    if (joins_ || frame.type == HRUN_DISK)
        return handle_join(frame);
    switch (frame.type) {
    case HRUN_ATTACH:
        return handle_attach(frame);
    case HRUN_STOP:
        return handle_stop(frame);
    case HRUN_SIGNAL:
        if (!frame.get(number) || number == 0 || number > 64)
            return broken(frame);
        events_.client_signal(number);
        return {};
    case HRUN_PAUSE:
    case HRUN_RESUME:
        first_ = first_ && attached();
        events_.client_pause(*this, frame.type == HRUN_PAUSE);
        return {};
    case HRUN_PLUG:
        return handle_plug(frame);
    case HRUN_UNPLUG:
        if (!frame.get(number) || number > kLastSlot)
            return broken(frame);
        first_ = first_ && attached();
        events_.client_unplug(*this, number);
        return {};
    case HRUN_CHECKPOINT:
        return handle_checkpoint(frame);
    case HRUN_RELEASE:
        if (!frame.get(number) || number > 1)
            return broken(frame);
        events_.client_release(*this, number == 1);
        return {};
    case HRUN_RESIZE:
        if (frame.payload.size() != 4)
            return broken(frame);
        events_.client_resize(frame.payload);
        return {};
    case HRUN_CREDIT:
        if (frame.stream == HRUN_STDIN || !frame.get(number) ||
            number > HRUN_INITIAL_CREDIT - credit_[frame.stream - HRUN_STDOUT])
            return broken(frame);
        credit_[frame.stream - HRUN_STDOUT] += number;
        return {};
    case HRUN_DATA:
        return handle_data(frame);
    default:
        return broken(frame);
    }
}

Result<void> Client::handle_attach(const Frame& frame) {
    uint32_t flags;
    if (flags_ || !frame.get(flags) || (flags & ~kKnownFlags))
        return broken(frame);
    flags_ = flags;
    events_.client_attached(*this);
    return {};
}

Result<void> Client::handle_stop(const Frame& frame) {
    hrun_stop stop;
    if (!frame.get(stop) || stop.signal == 0 || stop.signal > 64 || (stop.flags & ~kKnownStopFlags))
        return broken(frame);
    first_ = first_ && attached();
    events_.client_stop(stop);
    return {};
}

Result<void> Client::handle_plug(const Frame& frame) {
    hrun_plug plug;
    std::vector<Fd> descriptors = reader_.take_descriptors();
    if (!frame.get(plug) || plug.slot > kLastSlot || plug.mtu < kLeastMtu || plug.mtu > UINT16_MAX ||
        (plug.mac[0] & 1) || plug.more_queues >= kMostQueuePairs || descriptors.size() <= plug.more_queues)
        return broken(frame);
    first_ = first_ && attached();
    events_.client_plug(*this, plug, std::move(descriptors));
    return {};
}

Result<void> Client::handle_checkpoint(const Frame& frame) {
    std::vector<Fd> descriptors = reader_.take_descriptors();
    if (!frame.payload.empty() || descriptors.size() != 1)
        return broken(frame);
    first_ = first_ && attached();
    events_.client_checkpoint(*this, std::move(descriptors[0]));
    return {};
}

// It is another container's monitor, which nothing is believed, and the owner's command never.
Result<void> Client::handle_join(const Frame& frame) {
    std::vector<Fd> descriptors = reader_.take_descriptors();
    JoinRequest request{};
    const bool passes = frame.type == HRUN_DISK || frame.type == HRUN_AGENT;
    if (attached() || (passes && (descriptors.size() != 1 || !frame.payload.empty())))
        return broken(frame);
    first_ = false;
    joins_ = true;
    switch (frame.type) {
    case HRUN_DISK:
    case HRUN_AGENT:
        request.step = frame.type == HRUN_DISK ? JoinRequest::Step::kDisk : JoinRequest::Step::kAgent;
        request.descriptor = std::move(descriptors[0]);
        break;
    case HRUN_JOIN:
        request.step = JoinRequest::Step::kJoin;
        if (!frame.get(request.read_only))
            return broken(frame);
        break;
    case HRUN_PART:
        request.step = JoinRequest::Step::kPart;
        break;
    default:
        return broken(frame);
    }
    events_.client_joins(*this, std::move(request));
    return {};
}

Result<void> Client::handle_data(const Frame& frame) {
    if (frame.stream != HRUN_STDIN || !flags_ || !(*flags_ & HRUN_ATTACH_STDIN) || input_ended_ ||
        frame.payload.size() > input_.room())
        return broken(frame);
    input_.append(frame.payload.data(), frame.payload.size());
    input_ended_ = frame.payload.empty();
    return {};
}

} // namespace hrun::monitor
