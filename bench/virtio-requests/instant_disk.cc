// SPDX-License-Identifier: Apache-2.0
#include "instant_disk.h"

#include <algorithm>

#include "devices/virtio/queue_turn.h"

namespace hrun::bench {

namespace {
constexpr uint16_t kQueueSizes[] = {256};
}

std::span<const uint16_t> InstantDisk::queue_max_sizes() const {
    return kQueueSizes;
}

void InstantDisk::read_config(uint32_t, std::span<std::byte> out) const {
    std::fill(out.begin(), out.end(), std::byte{0});
}

// The last byte that the device may write is the request's status (virtio 1.2, 5.2.6): 0 is success.
void InstantDisk::queue_notify(uint16_t queue) {
    if (!active_)
        return;
    (void)virtio::take_turn(*active_, queue, kQueueSizes[0], chain_,
                            [](const virtio::DescriptorChain& chain) {
                                const iovec& last = chain.writable.back();
                                static_cast<uint8_t*>(last.iov_base)[last.iov_len - 1] = 0;
                                return std::optional<uint32_t>(1);
                            });
}

} // namespace hrun::bench
