// SPDX-License-Identifier: Apache-2.0
// The network device (virtio 1.2, 5.1) over a tap interface or a stream socket: one pair of queues, or several and a control queue by which
// the driver says how many of them it uses.
//
// Back-pressure: a packet that the host does not take stays in the guest's queue, one that the guest has no buffers for stays
// here, one only of each receive queue, and what is behind it in the host's own, bounded queue. Nothing is asked for again until it has
// said that it has changed.
//
// Each pair has a backend. The interface behind them gives packets to all, whatever the driver uses, so what comes from a backend whose
// pair is not in use goes to a receive queue that is. The host is told nothing: no guest makes it reorder its queues, which stops all others.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "base/event_loop.h"
#include "devices/virtio/device.h"
#include "devices/virtio/net_backend.h"

namespace hrun::virtio {

class NetDevice : public Device {
  public:
    // 5.1.2: those of the first pair; others follow, and behind all the control queue.
    enum Queue : uint16_t { kRx = 0, kTx = 1 };
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

    // `loop` outlives the device. `backends`: one for each pair of queues, all of one interface of the host. EINVAL names what is wrong in
    // the configuration.
    static Result<std::unique_ptr<NetDevice>>
    create(EventLoop& loop, std::vector<std::unique_ptr<NetBackend>> backends, const Config& config);
    // With one pair.
    static Result<std::unique_ptr<NetDevice>> create(EventLoop& loop, std::unique_ptr<NetBackend> backend,
                                                     const Config& config);

    // Pulls the cable out, or puts it in again.
    void set_link(bool up);
    // What the driver is told: the cable is in, and the backend is connected.
    bool link_up() const { return link_ && interface().connected(); }
    // How many pairs the driver uses.
    size_t pairs_in_use() const { return in_use_; }
    const Counters& counters() const { return counters_; }

    DeviceId device_id() const override { return kNet; }
    uint64_t device_features() const override;
    std::span<const uint16_t> queue_max_sizes() const override;
    void read_config(uint32_t offset, std::span<std::byte> out) const override;
    void activate(const Activation& activation) override;
    void deactivate() override;
    void queue_notify(uint16_t queue) override;
    void save(ByteWriter& out) const override;
    Result<void> load(ByteReader& in) override;

  private:
    enum class Delivery { kDone, kLost, kNoBuffers, kBroken };
    struct Buffer {
        uint16_t head;
        uint32_t bytes;
    };
    static constexpr size_t kPacketBytes = sizeof(NetHeader) + kMaxFrame;
    struct Pair {
        std::unique_ptr<NetBackend> backend;
        std::unique_ptr<std::byte[]> packet; // kPacketBytes: the packet that is to be delivered next
        size_t packet_size = 0;              // 0: none is
        size_t turns = 0;                    // of receiving
    };

    NetDevice(EventLoop& loop, std::vector<std::unique_ptr<NetBackend>> backends, const Config& config);
    static uint16_t rx_of(size_t pair) { return static_cast<uint16_t>(2 * pair + kRx); }
    static uint16_t tx_of(size_t pair) { return static_cast<uint16_t>(2 * pair + kTx); }
    NetBackend& interface() const { return *pairs_.front().backend; }
    bool agreed(uint64_t features) const { return active_ && (active_->features & features) == features; }

    void schedule();
    void process_all();
    void backend_changed(size_t pair);
    void tell_link();

    void process_control();
    uint32_t control(const DescriptorChain& chain);
    void use_pairs(uint16_t count);

    void process_tx(size_t pair);
    std::optional<uint32_t> send(NetBackend& backend, const DescriptorChain& chain);
    bool collect_packet(const DescriptorChain& chain);

    void process_rx(size_t pair);
    bool next_packet(size_t pair);
    Delivery deliver(size_t pair);
    Delivery collect_buffers(Virtqueue& rx, size_t size);

    EventLoop& loop_;
    std::vector<Pair> pairs_;
    std::vector<uint16_t> queue_sizes_;
    uint16_t in_use_ = 1; // pairs, the first ones
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
    Timer turn_;
};

} // namespace hrun::virtio
