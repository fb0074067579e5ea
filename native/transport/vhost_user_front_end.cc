// SPDX-License-Identifier: Apache-2.0
#include "transport/vhost_user_front_end.h"

#include <poll.h>

#include <algorithm>

namespace hrun::vhost_user {

namespace {

using Clock = std::chrono::steady_clock;

template <class T> std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}

Error unexpected(uint32_t request, const char* what) {
    return {EPROTO, "vhost-user: the answer to request " + std::to_string(request) + what};
}

// Returns when `socket` can be read or has come to its end.
Result<void> wait_readable(int socket, Clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd source{socket, POLLIN, 0};
        const int ready = poll(&source, 1, static_cast<int>(std::max<int64_t>(0, left)));
        if (ready > 0)
            return {};
        if (ready == 0)
            return Error{ETIMEDOUT, "vhost-user: wait for an answer"};
        if (errno != EINTR)
            return Error::last("vhost-user: wait for an answer");
    }
}

} // namespace

Result<uint64_t> FrontEnd::connect() {
    HRUN_TRY(send(kSetOwner, {}, {}, 0));
    Result<uint64_t> features = get(kGetFeatures);
    if (!features)
        return features;
    if (!(*features & kFeatureProtocolFeatures))
        return unexpected(kGetFeatures, " lacks PROTOCOL_FEATURES");
    Result<uint64_t> protocol = get(kGetProtocolFeatures);
    if (!protocol)
        return protocol;
    if (!(*protocol & kProtocolReplyAck))
        return unexpected(kGetProtocolFeatures, " lacks REPLY_ACK");
    HRUN_TRY(send(kSetProtocolFeatures, bytes_of(kProtocolReplyAck), {}, 0));
    return *features & ~kFeatureProtocolFeatures;
}

Result<void> FrontEnd::set_features(uint64_t features) {
    return set(kSetFeatures, features | kFeatureProtocolFeatures);
}

Result<void> FrontEnd::share_memory(int file, std::span<const MemoryRegion> regions) {
    if (regions.size() > kMaxRegions)
        return Error{E2BIG, "vhost-user: share memory in " + std::to_string(regions.size()) + " regions"};
    MemoryTable table{};
    table.count = static_cast<uint32_t>(regions.size());
    std::copy(regions.begin(), regions.end(), table.regions);
    const std::vector<int> fds(regions.size(), file);
    return set_bytes(kSetMemTable,
                     bytes_of(table).first(offsetof(MemoryTable, regions) + regions.size_bytes()), fds);
}

// A queue starts with its kick descriptor: all else comes before it.
Result<void> FrontEnd::start_queue(uint16_t index, const virtio::QueueWiring& queue) {
    const virtio::Virtqueue::Layout& layout = queue.layout;
    HRUN_TRY(set(kSetVringNum, VringState{index, layout.size}));
    HRUN_TRY(set(kSetVringBase, VringState{index, 0}));
    HRUN_TRY(set(kSetVringAddr,
                 VringAddress{index, 0, layout.descriptor_table, layout.device_area, layout.driver_area, 0}));
    HRUN_TRY(set(kSetVringCall, uint64_t{index}, {&queue.interrupt, 1}));
    HRUN_TRY(set(kSetVringKick, uint64_t{index}, {&queue.notification, 1}));
    return set(kSetVringEnable, VringState{index, 1});
}

Result<void> FrontEnd::stop_queue(uint16_t index) {
    HRUN_TRY(send(kGetVringBase, bytes_of(VringState{index, 0}), {}, 0));
    Result<Message> message = answer(kGetVringBase);
    if (!message)
        return message.error();
    const auto state = message->as<VringState>();
    if (!state || state->index != index)
        return unexpected(kGetVringBase, " is of another queue");
    return {};
}

Result<void> FrontEnd::check() {
    auto message = reader_.read(socket_.get());
    if (!message)
        return message.error();
    return *message ? Result<void>(unexpected((*message)->header.request, " was not asked for"))
                    : Result<void>();
}

Result<void> FrontEnd::send(uint32_t request, std::span<const std::byte> payload, std::span<const int> fds,
                            uint32_t flags) {
    return send_message(socket_.get(), {request, kFlagVersion | flags, static_cast<uint32_t>(payload.size())},
                        payload, fds);
}

Result<Message> FrontEnd::answer(uint32_t request) {
    const auto deadline = Clock::now() + limit_;
    for (;;) {
        auto message = reader_.read(socket_.get());
        if (!message)
            return message.error();
        if (!*message) {
            HRUN_TRY(wait_readable(socket_.get(), deadline));
            continue;
        }
        if ((*message)->header.request != request || !(*message)->fds.empty())
            return unexpected(request, " is something else");
        return std::move(**message);
    }
}

Result<uint64_t> FrontEnd::get(uint32_t request) {
    HRUN_TRY(send(request, {}, {}, 0));
    Result<Message> message = answer(request);
    if (!message)
        return message.error();
    const auto value = message->as<uint64_t>();
    return value ? Result<uint64_t>(*value) : unexpected(request, " has a wrong size");
}

template <class T> Result<void> FrontEnd::set(uint32_t request, const T& value, std::span<const int> fds) {
    return set_bytes(request, bytes_of(value), fds);
}

// Acknowledged by zero.
Result<void> FrontEnd::set_bytes(uint32_t request, std::span<const std::byte> payload,
                                 std::span<const int> fds) {
    HRUN_TRY(send(request, payload, fds, kFlagNeedReply));
    Result<Message> message = answer(request);
    if (!message)
        return message.error();
    const auto status = message->as<uint64_t>();
    if (!status)
        return unexpected(request, " has a wrong size");
    return *status == 0 ? Result<void>() : unexpected(request, " is a refusal");
}

} // namespace hrun::vhost_user
