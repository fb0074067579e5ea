// SPDX-License-Identifier: Apache-2.0
// The network device's control queue (virtio 1.2, 5.1.6.5): how many of its pairs of queues the driver uses, and nothing else.
#pragma once

#include <cstdint>
#include <optional>

#include "devices/virtio/queue.h"

namespace hrun::virtio {

// What the device answers, in the first byte that it may write.
enum NetAck : uint8_t { kNetOk = 0, kNetErr = 1 }; // VIRTIO_NET_OK, VIRTIO_NET_ERR

// How many pairs a command asks for (5.1.6.5.5): 1 to `most`. Nothing when it is another command, or none.
std::optional<uint16_t> pairs_wanted(const DescriptorChain& command, size_t most);

} // namespace hrun::virtio
