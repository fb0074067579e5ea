// SPDX-License-Identifier: Apache-2.0
// The front end's half of vhost-user: what a machine says to a process that serves one device's queues for it.
//
// The back end sees all of the guest's memory, so the guest has to trust it; this process does not. Every answer is waited
// for with a limit, and must be the one asked for, of its exact size and without descriptors; its numbers are not used.
#pragma once

#include <chrono>
#include <span>

#include "devices/virtio/device.h"
#include "transport/vhost_user_message.h"

namespace hrun::vhost_user {

class FrontEnd {
  public:
    using Limit = std::chrono::milliseconds;

    // `socket` does not block. `limit`: how long an answer may take.
    FrontEnd(Fd socket, Limit limit) : socket_(std::move(socket)), limit_(limit) {}

    // The first exchange: waits for the back end to be there. Returns the feature bits that it offers, its protocol's not
    // among them. EPROTO when it cannot acknowledge requests (REPLY_ACK).
    Result<uint64_t> connect();
    // All of these return when the back end has done it. After an error the connection is of no use.
    Result<void> set_features(uint64_t features);
    // Region N is part of `file`, which the back end maps.
    Result<void> share_memory(int file, std::span<const MemoryRegion> regions);
    // Addresses are user addresses of regions.
    Result<void> start_queue(uint16_t index, const virtio::QueueWiring& queue);
    // The back end touches the queue and its buffers no more.
    Result<void> stop_queue(uint16_t index);

    // To be called when the socket is readable in between: nothing should come. ECONNRESET when the back end is gone.
    Result<void> check();
    int fd() const { return socket_.get(); }
    bool connected() const { return socket_.valid(); }
    void disconnect() { socket_.reset(); }

  private:
    Result<void> send(uint32_t request, std::span<const std::byte> payload, std::span<const int> fds,
                      uint32_t flags);
    Result<Message> answer(uint32_t request);
    Result<uint64_t> get(uint32_t request);
    template <class T> Result<void> set(uint32_t request, const T& value, std::span<const int> fds = {});
    Result<void> set_bytes(uint32_t request, std::span<const std::byte> payload, std::span<const int> fds);

    Fd socket_;
    Limit limit_;
    MessageReader reader_{Side::kFrontEnd};
};

} // namespace hrun::vhost_user
