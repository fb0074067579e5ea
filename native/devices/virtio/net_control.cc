// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/net_control.h"

namespace hrun::virtio {

namespace {

constexpr uint8_t kClassMq = 4;    // VIRTIO_NET_CTRL_MQ
constexpr uint8_t kVqPairsSet = 0; // VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET

// struct virtio_net_ctrl as far as the driver fills it, with virtio_net_ctrl_mq
struct PairsCommand {
    uint8_t command_class;
    uint8_t command;
    uint16_t virtqueue_pairs;
};
static_assert(sizeof(PairsCommand) == 4);

} // namespace

std::optional<uint16_t> pairs_wanted(const DescriptorChain& command, size_t most) {
    PairsCommand copy;
    if (command.readable_bytes != sizeof copy)
        return std::nullopt;
    copy_from(command.readable, &copy, sizeof copy);
    const uint16_t pairs = copy.virtqueue_pairs;
    const bool fits = copy.command_class == kClassMq && copy.command == kVqPairsSet && pairs >= 1;
    return fits && pairs <= most ? std::optional(pairs) : std::nullopt;
}

} // namespace hrun::virtio
