// SPDX-License-Identifier: Apache-2.0
// What a network device is connected to on the host: it takes and gives whole packets, never waits, and tells when it can
// be asked again.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/event_loop.h"
#include "base/result.h"
#include "devices/virtio/net_header.h"

namespace hrun::virtio {

class NetBackend {
  public:
    enum class Status {
        kDone,
        kBusy, // not now: `changed` is called when it is worth another try
        kLost, // the packet is lost, or the network is gone; see connected()
    };

    virtual ~NetBackend() = default;

    // Calls `changed` on the loop's thread after a kBusy, and when the connection is lost. Once, before all else.
    virtual Result<void> watch(EventLoop& loop, EventLoop::Callback changed) = 0;
    // The feature bits of 5.1.3 that it can carry out.
    virtual uint64_t offloads() const = 0;
    // Which of them the driver has agreed to; none when there is no driver.
    virtual void set_offloads(uint64_t features) = 0;
    // Sends one packet: parts[0] is a checked NetHeader in host memory, what follows is the packet.
    virtual Status send(std::span<const iovec> parts) = 0;
    // Receives one packet with its NetHeader; `size` is what of `buffer` it takes, kEthernetHeader at least beside the header.
    virtual Status receive(std::span<std::byte> buffer, size_t& size) = 0;
    virtual bool connected() const = 0;
};

} // namespace hrun::virtio
