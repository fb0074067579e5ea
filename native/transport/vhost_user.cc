// SPDX-License-Identifier: Apache-2.0
#include "transport/vhost_user.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace hrun::vhost_user {

namespace {

constexpr int kMessagesPerTurn = 32;
constexpr uint64_t kProtocolFeatures = kProtocolReplyAck | kProtocolConfig;

template <class T> std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}

Error malformed(const Message& message) {
    return {EPROTO, "vhost-user: malformed request " + std::to_string(message.header.request)};
}

} // namespace

Backend::Backend(EventLoop& loop, virtio::Device& device, Fd socket, Closed closed)
    : loop_(loop), device_(device), socket_(std::move(socket)), closed_(std::move(closed)) {
    for (const uint16_t size : device.queue_max_sizes()) {
        vrings_.emplace_back(size);
        queues_.emplace_back(size);
    }
}

Backend::~Backend() {
    reset();
}

Result<void> Backend::start() {
    auto watch = loop_.watch(socket_.get(), EPOLLIN, [this](uint32_t) { receive(); });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    return {};
}

void Backend::receive() {
    for (int i = 0; i < kMessagesPerTurn; ++i) {
        auto message = reader_.read(socket_.get());
        if (!message)
            return close(message.error());
        if (!*message)
            return;
        if (auto handled = handle(**message); !handled)
            return close(handled.error());
    }
}

void Backend::close(const Error& error) {
    watch_.reset();
    reset();
    socket_.reset();
    closed_(error);
}

// ---- messages

// Requests that have an answer of their own; the others are acknowledged when the front end asks for it (REPLY_ACK).
Result<void> Backend::handle(Message& message) {
    switch (message.header.request) {
    case kGetFeatures:
        return reply_u64(message, device_.device_features() | kFeatureProtocolFeatures);
    case kGetProtocolFeatures:
        return reply_u64(message, kProtocolFeatures);
    case kGetVringBase:
        return get_vring_base(message);
    case kGetConfig:
        return get_config(message);
    default:
        HRUN_TRY(handle_set(message));
        const bool acknowledge = message.needs_reply() && (protocol_features_ & kProtocolReplyAck);
        return acknowledge ? reply_u64(message, 0) : Result<void>();
    }
}

Result<void> Backend::handle_set(Message& message) {
    switch (message.header.request) {
    case kSetFeatures:
        return set_features(message);
    case kSetProtocolFeatures:
        protocol_features_ = message.as<uint64_t>().value_or(0) & kProtocolFeatures;
        return {};
    case kSetOwner:
        return {};
    case kResetOwner:
        reset();
        return {};
    case kSetMemTable:
        return set_memory(message);
    case kSetVringNum:
        return set_vring_num(message);
    case kSetVringAddr:
        return set_vring_address(message);
    case kSetVringBase:
        return set_vring_base(message);
    case kSetVringKick:
        return set_vring_kick(message);
    case kSetVringCall:
        return set_vring_fd(message, &Vring::call);
    case kSetVringErr:
        return set_vring_fd(message, &Vring::error);
    case kSetVringEnable:
        return set_vring_enable(message);
    case kSetConfig:
        return set_config(message);
    default:
        return Error{EPROTO, "vhost-user: unknown request " + std::to_string(message.header.request)};
    }
}

Result<void> Backend::reply_u64(const Message& message, uint64_t value) {
    return send_reply(socket_.get(), message.header.request, bytes_of(value));
}

Result<void> Backend::set_features(const Message& message) {
    const auto features = message.as<uint64_t>();
    if (!features || (*features & ~(device_.device_features() | kFeatureProtocolFeatures)))
        return malformed(message);
    features_ = *features;
    return {};
}

// Running queues move over to the new table; one whose rings are not in it any more ends the connection.
Result<void> Backend::set_memory(const Message& message) {
    auto memory = SharedMemory::map(message);
    if (!memory)
        return memory.error();
    for (Vring& ring : vrings_)
        halt(ring);
    memory_ = std::move(*memory);
    for (Vring& ring : vrings_)
        HRUN_TRY(update(ring));
    return {};
}

Result<void> Backend::get_config(const Message& message) {
    constexpr size_t kFixed = offsetof(Config, data);
    Config config{};
    if (message.header.size < kFixed || message.header.size > sizeof config)
        return malformed(message);
    memcpy(&config, message.payload, kFixed);
    if (config.size != message.header.size - kFixed)
        return malformed(message);
    device_.read_config(config.offset, {config.data, config.size});
    return send_reply(socket_.get(), message.header.request, bytes_of(config).first(kFixed + config.size));
}

Result<void> Backend::set_config(const Message& message) {
    constexpr size_t kFixed = offsetof(Config, data);
    Config config{};
    if (message.header.size < kFixed || message.header.size > sizeof config)
        return malformed(message);
    memcpy(&config, message.payload, message.header.size);
    if (config.size != message.header.size - kFixed)
        return malformed(message);
    device_.write_config(config.offset, {config.data, config.size});
    return {};
}

// ---- rings

Result<Backend::Vring*> Backend::vring(uint64_t index) {
    if (index >= vrings_.size())
        return Error{EPROTO, "vhost-user: no queue " + std::to_string(index)};
    return &vrings_[index];
}

// A message about one ring, with a number.
Result<Backend::RingNumber> Backend::ring_number(const Message& message) {
    const auto state = message.as<VringState>();
    if (!state)
        return malformed(message);
    auto ring = vring(state->index);
    if (!ring)
        return ring.error();
    return RingNumber{**ring, state->num};
}

Result<void> Backend::set_vring_num(const Message& message) {
    auto given = ring_number(message);
    if (!given)
        return given.error();
    if (given->number > UINT16_MAX)
        return malformed(message);
    given->ring.size = static_cast<uint16_t>(given->number);
    return {};
}

Result<void> Backend::set_vring_address(const Message& message) {
    const auto address = message.as<VringAddress>();
    if (!address)
        return malformed(message);
    auto ring = vring(address->index);
    if (!ring)
        return ring.error();
    (*ring)->address = *address;
    return {};
}

Result<void> Backend::set_vring_base(const Message& message) {
    auto given = ring_number(message);
    if (!given)
        return given.error();
    given->ring.base = static_cast<uint16_t>(given->number);
    return {};
}

// Stops the ring. Once no ring runs, the driver is gone and the device starts from nothing next time.
Result<void> Backend::get_vring_base(const Message& message) {
    auto given = ring_number(message);
    if (!given)
        return given.error();
    Vring& ring = given->ring;
    halt(ring);
    ring.started = false;
    ring.kicked.reset();
    ring.kick = EventFd();
    ring.call = EventFd();
    if (std::none_of(vrings_.begin(), vrings_.end(), [](const Vring& other) { return other.started; }) &&
        std::exchange(active_, false))
        device_.deactivate();
    const VringState answer{static_cast<uint32_t>(index_of(ring)), ring.base};
    return send_reply(socket_.get(), message.header.request, bytes_of(answer));
}

// A ring starts with its kick descriptor.
Result<void> Backend::set_vring_kick(Message& message) {
    const uint64_t value = message.as<uint64_t>().value_or(UINT64_MAX);
    auto ring = vring(value & kVringIndexMask);
    if (!ring)
        return ring.error();
    auto kick = take_event_fd(message, value);
    if (!kick)
        return kick.error();
    if (!kick->valid())
        return Error{ENOTSUP, "vhost-user: queue without a kick descriptor"};
    Vring& target = **ring;
    const auto index = static_cast<uint16_t>(index_of(target));
    target.kicked.reset();
    target.kick = std::move(*kick);
    auto watch = loop_.watch(target.kick.get(), EPOLLIN, [this, index](uint32_t) {
        vrings_[index].kick.drain();
        device_.queue_notify(index);
    });
    if (!watch)
        return watch.error();
    target.kicked = std::move(*watch);
    target.started = true;
    // Without PROTOCOL_FEATURES there is no SET_VRING_ENABLE: rings start enabled.
    target.enabled |= !(features_ & kFeatureProtocolFeatures);
    return update(target);
}

Result<void> Backend::set_vring_fd(Message& message, EventFd Vring::*which) {
    const uint64_t value = message.as<uint64_t>().value_or(UINT64_MAX);
    auto ring = vring(value & kVringIndexMask);
    if (!ring)
        return ring.error();
    auto fd = take_event_fd(message, value);
    if (!fd)
        return fd.error();
    (*ring)->*which = std::move(*fd);
    return {};
}

Result<void> Backend::set_vring_enable(const Message& message) {
    auto given = ring_number(message);
    if (!given)
        return given.error();
    given->ring.enabled = given->number != 0;
    return update(given->ring);
}

// The descriptor of a SET_VRING_KICK, CALL or ERR message, made non-blocking; none when the message says so.
Result<EventFd> Backend::take_event_fd(Message& message, uint64_t value) {
    const bool expected = !(value & kVringNoFd);
    if (message.header.size != sizeof value || message.fds.size() != (expected ? 1 : 0))
        return malformed(message);
    if (!expected)
        return EventFd();
    Fd fd = std::move(message.fds.front());
    const int flags = fcntl(fd.get(), F_GETFL);
    if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0)
        return Error::last("vhost-user: set up event descriptor");
    return EventFd(std::move(fd));
}

// Brings the queue in line with what the front end has asked of its ring.
Result<void> Backend::update(Vring& ring) {
    const bool wanted = ring.started && ring.enabled;
    const virtio::Virtqueue& queue = queues_[index_of(ring)];
    if (wanted && !queue.ready() && !queue.broken())
        return run(ring);
    if (!wanted)
        halt(ring);
    return {};
}

Result<void> Backend::run(Vring& ring) {
    const auto index = static_cast<uint16_t>(index_of(ring));
    const auto descriptor = memory_.guest_address(ring.address.descriptor);
    const auto available = memory_.guest_address(ring.address.available);
    const auto used = memory_.guest_address(ring.address.used);
    if (!descriptor || !available || !used)
        return Error{EINVAL, "vhost-user: ring of queue " + std::to_string(index) + " outside memory"};
    virtio::UsedRing used_ring{};
    if (!memory_.guest().read(*used, &used_ring, sizeof used_ring))
        return Error{EINVAL, "vhost-user: ring of queue " + std::to_string(index) + " outside memory"};
    HRUN_TRY(queues_[index].start(memory_.guest(), {ring.size, *descriptor, *available, *used}, features_,
                                  {ring.base, used_ring.idx}));
    if (!std::exchange(active_, true))
        device_.activate({&memory_.guest(), queues_, this, features_});
    device_.queue_notify(index);
    return {};
}

void Backend::halt(Vring& ring) {
    virtio::Virtqueue& queue = queues_[index_of(ring)];
    if (queue.ready())
        ring.base = queue.stop().next_avail;
    else
        queue.stop();
}

void Backend::reset() {
    for (Vring& ring : vrings_) {
        halt(ring);
        ring = Vring(ring.queue_max);
    }
    if (std::exchange(active_, false))
        device_.deactivate();
    features_ = protocol_features_ = 0;
    memory_ = SharedMemory();
}

void Backend::signal_queue(uint16_t queue) {
    if (vrings_[queue].call.valid())
        vrings_[queue].call.signal();
}

void Backend::signal_broken(uint16_t queue) {
    if (vrings_[queue].error.valid())
        vrings_[queue].error.signal();
}

} // namespace hrun::vhost_user
