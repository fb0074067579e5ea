// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/vsock_reset.h"

namespace hrun::virtio {

namespace {
constexpr uint32_t kTransportReset = 0; // VIRTIO_VSOCK_EVENT_TRANSPORT_RESET
}

void VsockReset::ask() {
    state_ = State::kDue;
    limit_ = std::chrono::steady_clock::now() + kPatience;
}

bool VsockReset::holds(const Activation& active, uint16_t events, DescriptorChain& chain) {
    if (state_ == State::kNone)
        return false;
    if (state_ == State::kDue)
        tell(active, events, chain);
    const bool noticed = state_ == State::kTold && active.queues[events].available() != buffers_left_;
    if (noticed || std::chrono::steady_clock::now() >= limit_)
        forget();
    return state_ != State::kNone;
}

void VsockReset::tell(const Activation& active, uint16_t events, DescriptorChain& chain) {
    if (active.queues.size() <= events || !active.queues[events].ready())
        return forget();
    Virtqueue& queue = active.queues[events];
    const Virtqueue::Pop pop = queue.pop(chain);
    if (pop == Virtqueue::Pop::kEmpty)
        return;
    if (pop == Virtqueue::Pop::kBroken) {
        active.interrupt->signal_broken(events);
        return forget();
    }
    const size_t written = copy_to(chain.writable, &kTransportReset, sizeof kTransportReset);
    queue.push(chain.head, static_cast<uint32_t>(written));
    if (queue.publish())
        active.interrupt->signal_queue(events);
    buffers_left_ = queue.available();
    limit_ = std::chrono::steady_clock::now() + kPatience;
    state_ = State::kTold;
}

} // namespace hrun::virtio
