// SPDX-License-Identifier: Apache-2.0
// Telling a guest that all of its connections are gone (virtio 1.2, 5.10.6.7), as they are when its machine goes on from a snapshot.
//
// Nothing may be sent to it before it has taken notice: it would end new connections with the old ones. A driver puts a buffer back
// into the event queue when it has; one that does not is waited for no longer than kPatience.
#pragma once

#include <chrono>

#include "devices/virtio/device.h"

namespace hrun::virtio {

class VsockReset {
  public:
    // For a driver that gives no buffer, and again for one that puts none back: longer than a busy host leaves a guest waiting.
    static constexpr auto kPatience = std::chrono::seconds(2);
    static constexpr auto kInterval = std::chrono::milliseconds(1); // between two looks

    // The driver is to be told.
    void ask();
    void forget() { state_ = State::kNone; }
    // Tells it as soon as `events`, the queue of that index, has a buffer. True as long as packets have to wait: look again after
    // kInterval. `chain` is scratch space.
    bool holds(const Activation& active, uint16_t events, DescriptorChain& chain);

  private:
    enum class State { kNone, kDue, kTold };

    void tell(const Activation& active, uint16_t events, DescriptorChain& chain);

    State state_ = State::kNone;
    uint16_t buffers_left_ = 0; // of the event queue, when the driver was told
    std::chrono::steady_clock::time_point limit_;
};

} // namespace hrun::virtio
