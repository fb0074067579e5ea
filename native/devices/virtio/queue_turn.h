// SPDX-License-Identifier: Apache-2.0
// One turn at a queue: a bounded number of chains, so that a driver that never stops leaves time for everybody else.
#pragma once

#include <functional>
#include <optional>

#include "devices/virtio/device.h"

namespace hrun::virtio {

enum class Turn {
    kDone, // nothing is left, and the driver notifies of more; or it has broken the queue
    kMore, // chains may be left: take another turn, nobody will ask for it
    kHeld, // the handler could not take a chain, which stays in the queue: take a turn when it can
};

// Carries out the request in a chain. The number of bytes written into it, or nothing when it must wait.
using ChainHandler = std::function<std::optional<uint32_t>(const DescriptorChain&)>;

// Serves at most `limit` chains of queue `index`, then tells the driver. `chain` is scratch space that keeps its capacity.
// The handler must not deactivate the device.
Turn take_turn(const Activation& activation, uint16_t index, int limit, DescriptorChain& chain,
               const ChainHandler& handle);

} // namespace hrun::virtio
