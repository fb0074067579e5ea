// SPDX-License-Identifier: Apache-2.0
// A stream socket behind a network device: each packet after its length, four bytes, big-endian. passt and QEMU's
// `-netdev stream` speak this. There is no header beside, so checksums and segmentation are the guest's own.
#pragma once

#include <memory>
#include <optional>

#include "base/byte_ring.h"
#include "base/fd.h"
#include "devices/virtio/net_backend.h"

namespace hrun::virtio {

class NetStream : public NetBackend {
  public:
    // `socket` is a connected, non-blocking stream socket.
    explicit NetStream(Fd socket) : socket_(std::move(socket)) {}

    Result<void> watch(EventLoop& loop, EventLoop::Callback changed) override;
    uint64_t offloads() const override { return 0; }
    void set_offloads(uint64_t) override {}
    Status send(std::span<const iovec> parts) override;
    Status receive(std::span<std::byte> buffer, size_t& size) override;
    bool connected() const override { return connected_; }

  private:
    static constexpr size_t kLengthBytes = 4;
    static constexpr size_t kBuffer = 128 * 1024; // one packet of the largest size and what comes with it

    Status lose();
    bool flush();
    Status fill();
    std::optional<uint32_t> next_length() const;
    size_t available() const { return end_ - begin_; }

    Fd socket_;
    Watch watch_;
    bool connected_ = true;
    ByteRing rest_{kLengthBytes + kMaxFrame}; // of a packet that the socket took only in part
    std::unique_ptr<std::byte[]> received_;   // kBuffer bytes, taken on first use
    size_t begin_ = 0;                        // received bytes not passed on: [begin_, end_)
    size_t end_ = 0;
};

} // namespace hrun::virtio
