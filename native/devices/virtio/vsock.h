// SPDX-License-Identifier: Apache-2.0
// The virtio socket device (virtio 1.2, 5.10): stream sockets between one guest and this host.
//
// Bounds, whatever the guest does: kMaxConnections connections, VsockStream::kBufferBytes kept for each, kMaxReplies
// pending answers to packets that belong to no connection (then the guest's packets wait until it takes some), and
// a fixed number of packets per turn, so that neither the host's other work nor another connection starves.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "base/event_loop.h"
#include "base/fd.h"
#include "devices/virtio/device.h"
#include "devices/virtio/vsock_connection.h"
#include "devices/virtio/vsock_reset.h"

namespace hrun::virtio {

class VsockDevice : public Device {
  public:
    enum Queue : uint16_t { kRx = 0, kTx = 1, kEvent = 2 }; // 5.10.2
    static constexpr uint16_t kQueueSize =
        1024; // what QEMU's virtio-mmio offers, whatever device is behind it
    static constexpr size_t kMaxConnections = 512;
    static constexpr size_t kMaxReplies = 256;

    // Makes the host's end of a connection that the guest opens to `host_port`: a non-blocking stream socket. An
    // error refuses the connection.
    using Accept = std::function<Result<Fd>(uint32_t host_port)>;

    // `loop` outlives the device. `guest_cid` is 3 or more (5.10.4).
    VsockDevice(EventLoop& loop, uint64_t guest_cid, Accept accept)
        : loop_(loop), guest_cid_(guest_cid), accept_(std::move(accept)) {}

    // Opens a connection from the host to `guest_port`; `socket` (non-blocking stream) is the host's end of it. It waits
    // for a guest whose driver is not up yet. `connected` is told the outcome: ECONNREFUSED when nobody listens,
    // ECONNRESET when the driver went away, ECANCELED when the other end of `socket` was closed meanwhile. It
    // must neither deactivate nor destroy the device. EMFILE, and no call, when there are too many connections.
    Result<void> connect(uint32_t guest_port, Fd socket, VsockConnection::Connected connected);
    size_t connection_count() const { return connections_.size() + draining_.size(); }

    DeviceId device_id() const override { return kVsock; }
    uint64_t device_features() const override;
    std::span<const uint16_t> queue_max_sizes() const override;
    void read_config(uint32_t offset, std::span<std::byte> out) const override;
    void activate(const Activation& activation) override;
    void deactivate() override;
    void queue_notify(uint16_t queue) override;
    // Connections end with the machine that is saved; a guest that goes on elsewhere is told so.
    void save(ByteWriter& out) const override;
    Result<void> load(ByteReader& in) override;

  private:
    using Connection = std::shared_ptr<VsockConnection>;
    static constexpr uint32_t kFirstHostPort = 1u << 30;

    Virtqueue& queue(Queue index) { return active_->queues[index]; }
    bool queue_ready(Queue index) {
        return active_ && active_->queues.size() > index && queue(index).ready();
    }
    void finish_turn(Queue index, bool broken, bool more);
    void schedule();

    void process_tx();
    void handle_chain();
    void handle_packet(const VsockHeader& header, std::span<const iovec> payload);
    void open_from_guest(const VsockHeader& header);
    void reply_reset(const VsockHeader& header);

    void process_rx();
    bool rx_due() const { return !replies_.empty() || !ready_.empty(); }
    bool wait_for_buffers();
    uint32_t fill_chain();
    uint32_t send_reply();
    uint32_t send_packet(VsockConnection& connection);
    VsockHeader header_to_guest(VsockKey key, VsockOp op) const;

    Result<void> add(const Connection& connection);
    void settle(const Connection& connection);
    void drop(const Connection& connection);
    void drain(Connection connection);
    uint32_t free_host_port();

    EventLoop& loop_;
    uint64_t guest_cid_;
    Accept accept_;
    std::optional<Activation> active_;
    std::map<VsockKey, Connection> connections_;
    std::deque<Connection> ready_;    // connections with packets to send, each once, served in turn
    std::deque<VsockHeader> replies_; // RSTs to packets that belong to no connection
    std::map<VsockConnection*, Connection> draining_; // gone for the guest, the host still reads
    uint32_t next_host_port_ = kFirstHostPort;
    Timer turn_;
    VsockReset reset_;
    Timer reset_look_;
    DescriptorChain chain_;
    std::vector<iovec> payload_;
};

} // namespace hrun::virtio
