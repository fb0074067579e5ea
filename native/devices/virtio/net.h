// SPDX-License-Identifier: Apache-2.0
// The network device (virtio 1.2, 5.1): one pair of queues, over a tap interface or a stream socket.
//
// Back-pressure: a packet that the host does not take stays in the guest's queue, one that the guest has no buffers for stays
// here, one only, and what is behind it in the host's own, bounded queue. Nothing is asked for again until it has
// said that it has changed.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "base/event_loop.h"
#include "devices/virtio/device.h"
#include "devices/virtio/net_backend.h"

namespace hrun::virtio {

class NetDevice : public Device {
  public:
    enum Queue : uint16_t { kRx = 0, kTx = 1 }; // 5.1.2
    static constexpr uint16_t kQueueSize = 256;

    struct Config {
        std::array<uint8_t, 6> mac; // not a group address
        uint16_t mtu = 1500;        // kMinMtu at least
    };
    // Packets, since the device was made. Lost ones asked for what was not agreed, came while the link was down, or fitted
    // no buffer.
    struct Counters {
        uint64_t sent = 0;
        uint64_t received = 0;
        uint64_t send_lost = 0;
        uint64_t receive_lost = 0;
    };

    // `loop` outlives the device. EINVAL names what is wrong in the configuration.
    static Result<std::unique_ptr<NetDevice>> create(EventLoop& loop, std::unique_ptr<NetBackend> backend,
                                                     const Config& config);

    // Pulls the cable out, or puts it in again.
    void set_link(bool up);
    // What the driver is told: the cable is in, and the backend is connected.
    bool link_up() const { return link_ && backend_->connected(); }
    const Counters& counters() const { return counters_; }

    DeviceId device_id() const override { return kNet; }
    uint64_t device_features() const override;
    std::span<const uint16_t> queue_max_sizes() const override;
    void read_config(uint32_t offset, std::span<std::byte> out) const override;
    void activate(const Activation& activation) override;
    void deactivate() override;
    void queue_notify(uint16_t queue) override;

  private:
    enum class Delivery { kDone, kLost, kNoBuffers, kBroken };
    struct Buffer {
        uint16_t head;
        uint32_t bytes;
    };
    static constexpr size_t kPacketBytes = sizeof(NetHeader) + kMaxFrame;

    NetDevice(EventLoop& loop, std::unique_ptr<NetBackend> backend, const Config& config);
    void schedule();
    void tell_link();

    void process_tx();
    std::optional<uint32_t> send(const DescriptorChain& chain);
    bool collect_packet(const DescriptorChain& chain);

    void process_rx();
    bool next_packet();
    Delivery deliver();
    Delivery collect_buffers(Virtqueue& rx);

    EventLoop& loop_;
    std::unique_ptr<NetBackend> backend_;
    Config config_;
    bool link_ = true;
    bool told_up_ = true; // what the driver was last told of the link
    std::optional<Activation> active_;
    uint64_t offloads_ = 0;
    Counters counters_;
    DescriptorChain chain_;
    std::vector<iovec> parts_;
    std::vector<Buffer> buffers_; // that the packet being delivered takes
    NetHeader header_{}; // of the packet being sent: checked here, so not read from guest memory again
    std::unique_ptr<std::byte[]> packet_; // kPacketBytes: the packet that is to be delivered next
    size_t packet_size_ = 0;              // 0: none is
    Timer turn_;
};

} // namespace hrun::virtio
