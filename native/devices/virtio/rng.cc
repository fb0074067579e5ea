// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/rng.h"

#include <sys/random.h>

#include <algorithm>

#include "devices/virtio/queue_turn.h"

namespace hrun::virtio {

namespace {

constexpr int kRequestsPerTurn = 32;

// No signal interrupts this: up to 256 bytes getrandom() does not look for one, and more may come short.
uint32_t fill(const DescriptorChain& chain) {
    std::byte bytes[RngDevice::kMaxBytes];
    const size_t wanted = std::min<size_t>(chain.writable_bytes, sizeof bytes);
    const ssize_t got = getrandom(bytes, wanted, 0);
    return got > 0 ? static_cast<uint32_t>(copy_to(chain.writable, bytes, static_cast<size_t>(got))) : 0;
}

} // namespace

uint64_t RngDevice::device_features() const {
    return kFeatureVersion1 | kFeatureIndirectDesc | kFeatureEventIdx;
}

std::span<const uint16_t> RngDevice::queue_max_sizes() const {
    static constexpr uint16_t kSizes[] = {kQueueSize};
    return kSizes;
}

// 5.4.4: there is none.
void RngDevice::read_config(uint32_t, std::span<std::byte> out) const {
    std::fill(out.begin(), out.end(), std::byte{0});
}

void RngDevice::activate(const Activation& activation) {
    active_ = activation;
    serve();
}

void RngDevice::deactivate() {
    turn_.reset();
    active_.reset();
}

void RngDevice::queue_notify(uint16_t) {
    serve();
}

void RngDevice::serve() {
    if (active_ && take_turn(*active_, 0, kRequestsPerTurn, chain_, fill) == Turn::kMore)
        turn_ = loop_.after({}, [this] { serve(); });
}

} // namespace hrun::virtio
