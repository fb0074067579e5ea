// SPDX-License-Identifier: Apache-2.0
#include "transport/vhost_user_device.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <utility>

#include "devices/virtio/config_space.h"

namespace hrun::vhost_user {

namespace {

// Of what a back end offers: it may name bits that mean something to this side too, which does not know them.
constexpr uint64_t kKnownFeatures =
    virtio::kFeatureVersion1 | virtio::kFeatureIndirectDesc | virtio::kFeatureEventIdx;

} // namespace

RemoteDevice::RemoteDevice(EventLoop& loop, Fd socket, Identity identity, Failed failed,
                           FrontEnd::Limit limit)
    : loop_(loop), front_end_(std::move(socket), limit), identity_(std::move(identity)),
      failed_(std::move(failed)) {}

Result<void> RemoteDevice::connect(int memory, std::vector<MemoryRegion> regions) {
    memory_.reset(fcntl(memory, F_DUPFD_CLOEXEC, 0));
    if (!memory_.valid())
        return Error::last("share the guest's memory");
    regions_ = std::move(regions);
    Result<uint64_t> features = front_end_.connect();
    if (!features)
        return features.error();
    if (!(*features & virtio::kFeatureVersion1))
        return Error{EPROTO, "vhost-user: a back end without VERSION_1"};
    features_ = *features & kKnownFeatures;
    auto watch = loop_.watch(front_end_.fd(), EPOLLIN, [this](uint32_t) {
        if (const Result<void> silent = front_end_.check(); !silent)
            fail(silent.error());
    });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    return {};
}

void RemoteDevice::disconnect() {
    watch_.reset();
    front_end_.disconnect();
    started_.clear();
}

void RemoteDevice::read_config(uint32_t offset, std::span<std::byte> out) const {
    virtio::read_config_space(identity_.config, offset, out);
}

void RemoteDevice::activate(const virtio::Activation& activation) {
    if (!front_end_.connected())
        return;
    if (const Result<void> started = start(activation); !started)
        fail(started.error());
}

// The memory is shared anew with each driver: it costs nothing, and the back end forgets what it knew of the last one's rings.
Result<void> RemoteDevice::start(const virtio::Activation& activation) {
    HRUN_TRY(front_end_.set_features(activation.features));
    HRUN_TRY(front_end_.share_memory(memory_.get(), regions_));
    for (uint16_t index = 0; index < activation.queues.size(); ++index) {
        if (!activation.queues[index].ready())
            continue;
        HRUN_TRY(front_end_.start_queue(index, activation.wiring[index]));
        started_.push_back(index);
    }
    return {};
}

// Returns when the back end has answered what it had taken: it writes to none of the driver's memory after that.
void RemoteDevice::deactivate() {
    for (const uint16_t index : std::exchange(started_, {}))
        if (const Result<void> stopped = front_end_.stop_queue(index); !stopped)
            return fail(stopped.error());
}

void RemoteDevice::fail(const Error& error) {
    disconnect();
    failed_(error);
}

} // namespace hrun::vhost_user
