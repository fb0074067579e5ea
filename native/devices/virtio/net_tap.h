// SPDX-License-Identifier: Apache-2.0
// A tap interface of the host (Linux Documentation/networking/tuntap.rst) behind a network device, with checksums and
// segmentation left to whoever does them last.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "devices/virtio/net_backend.h"

namespace hrun::virtio {

class NetTap : public NetBackend {
  public:
    // Opens the tap interface `name` in this thread's network namespace, which is made if there is none and goes with its
    // descriptors then. EPERM without CAP_NET_ADMIN, or without being the owner of an existing one. One of several `queues` has a descriptor
    // for each of them, and must not exist: EBUSY. The host keeps the packets of a connection in one queue, that which the machine sends its
    // own by.
    static Result<std::vector<Fd>> open(const std::string& name, size_t queues);
    // `tap` is an open tap interface with IFF_VNET_HDR, or one of its queues: EINVAL otherwise.
    static Result<std::unique_ptr<NetTap>> create(Fd tap);

    // Does what a device does on its tap once its driver has agreed to `features`: for a device that was set up with another one.
    static Result<void> set_up(int tap, uint64_t features);

    Result<void> watch(EventLoop& loop, EventLoop::Callback changed) override;
    uint64_t offloads() const override;
    void set_offloads(uint64_t features) override; // of all its queues
    Status send(std::span<const iovec> parts) override;
    Status receive(std::span<std::byte> buffer, size_t& size) override;
    bool connected() const override { return connected_; }

  private:
    explicit NetTap(Fd tap) : tap_(std::move(tap)) {}

    Fd tap_;
    Watch watch_;
    bool connected_ = true;
};

} // namespace hrun::virtio
