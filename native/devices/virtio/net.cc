// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/net.h"

#include <algorithm>
#include <cstring>

#include "devices/virtio/config_space.h"
#include "devices/virtio/queue_turn.h"

namespace hrun::virtio {

namespace {

constexpr int kPacketsPerTurn = 64;
constexpr uint16_t kLinkUp = 1;      // VIRTIO_NET_S_LINK_UP
constexpr uint8_t kGroupAddress = 1; // in the first octet of a MAC address

struct
    [[gnu::packed]] NetConfig { // struct virtio_net_config (5.1.4), as far as the features offered define it
    uint8_t mac[6];
    uint16_t status;
    uint16_t max_virtqueue_pairs;
    uint16_t mtu;
};

} // namespace

Result<std::unique_ptr<NetDevice>> NetDevice::create(EventLoop& loop, std::unique_ptr<NetBackend> backend,
                                                     const Config& config) {
    if (config.mtu < kMinMtu)
        return Error{EINVAL, "make a network device with an MTU of " + std::to_string(config.mtu)};
    if (config.mac[0] & kGroupAddress)
        return Error{EINVAL, "make a network device with a group address as its own"};
    std::unique_ptr<NetDevice> device(new NetDevice(loop, std::move(backend), config));
    HRUN_TRY(device->backend_->watch(loop, [self = device.get()] {
        self->process_tx();
        self->process_rx();
        self->tell_link();
    }));
    return device;
}

NetDevice::NetDevice(EventLoop& loop, std::unique_ptr<NetBackend> backend, const Config& config)
    : loop_(loop), backend_(std::move(backend)), config_(config),
      packet_(std::make_unique_for_overwrite<std::byte[]>(kPacketBytes)) {}

uint64_t NetDevice::device_features() const {
    return kFeatureVersion1 | kFeatureIndirectDesc | kFeatureEventIdx | kNetMac | kNetMtu | kNetStatus |
           kNetMrgRxbuf | backend_->offloads();
}

std::span<const uint16_t> NetDevice::queue_max_sizes() const {
    static constexpr uint16_t kSizes[] = {kQueueSize, kQueueSize};
    return kSizes;
}

void NetDevice::read_config(uint32_t offset, std::span<std::byte> out) const {
    NetConfig config{};
    std::copy(config_.mac.begin(), config_.mac.end(), config.mac);
    config.status = link_up() ? kLinkUp : 0;
    config.max_virtqueue_pairs = 1;
    config.mtu = config_.mtu;
    read_config_space(std::as_bytes(std::span(&config, 1)), offset, out);
}

void NetDevice::activate(const Activation& activation) {
    active_ = activation;
    offloads_ = usable_offloads(activation.features);
    told_up_ = link_up();
    backend_->set_offloads(offloads_);
    schedule();
}

void NetDevice::deactivate() {
    turn_.reset();
    active_.reset();
    packet_size_ = 0;
    offloads_ = 0;
    backend_->set_offloads(0);
}

void NetDevice::queue_notify(uint16_t index) {
    if (index == kTx)
        process_tx();
    if (index == kRx)
        process_rx();
}

void NetDevice::schedule() {
    if (!turn_.active())
        turn_ = loop_.after({}, [this] {
            process_tx();
            process_rx();
            tell_link();
        });
}

void NetDevice::set_link(bool up) {
    link_ = up;
    tell_link();
    if (active_)
        schedule(); // packets may wait on either side
}

void NetDevice::tell_link() {
    if (!active_ || std::exchange(told_up_, link_up()) == link_up())
        return;
    if (active_->features & kNetStatus)
        active_->interrupt->signal_config();
}

// ---- guest to host

void NetDevice::process_tx() {
    if (!active_)
        return;
    const auto handle = [this](const DescriptorChain& chain) { return send(chain); };
    if (take_turn(*active_, kTx, kPacketsPerTurn, chain_, handle) == Turn::kMore)
        schedule();
}

std::optional<uint32_t> NetDevice::send(const DescriptorChain& chain) {
    NetBackend::Status status = NetBackend::Status::kLost;
    if (link_up() && collect_packet(chain))
        status = backend_->send(parts_);
    if (status == NetBackend::Status::kBusy)
        return std::nullopt; // the backend calls when it takes packets again
    ++(status == NetBackend::Status::kDone ? counters_.sent : counters_.send_lost);
    return 0;
}

// Puts the packet into parts_, its header checked. False when it is none that may be sent.
bool NetDevice::collect_packet(const DescriptorChain& chain) {
    NetHeader header;
    if (copy_from(chain.readable, &header, sizeof header) < sizeof header)
        return false;
    const uint32_t size = chain.readable_bytes - sizeof header;
    const auto checked = check_transmit_header(header, size, offloads_);
    if (size < kEthernetHeader || size > kMaxFrame || !checked)
        return false;
    header_ = *checked;
    parts_.assign(1, {&header_, sizeof header_});
    slice(chain.readable, sizeof header, size, parts_);
    return true;
}

// ---- host to guest

void NetDevice::process_rx() {
    if (!active_ || active_->queues.size() <= kRx || !active_->queues[kRx].ready())
        return;
    Virtqueue& rx = active_->queues[kRx];
    rx.disable_notifications();
    Delivery delivery = Delivery::kDone;
    int left = kPacketsPerTurn;
    for (; left > 0 && (packet_size_ > 0 || next_packet()); --left) {
        delivery = deliver();
        if (delivery == Delivery::kNoBuffers || delivery == Delivery::kBroken)
            break;
        packet_size_ = 0;
        ++(delivery == Delivery::kDone ? counters_.received : counters_.receive_lost);
    }
    if (rx.publish())
        active_->interrupt->signal_queue(kRx);
    if (delivery == Delivery::kBroken)
        active_->interrupt->signal_broken(kRx);
    if (left == 0)
        schedule();
}

// Takes the next packet from the backend. False when there is none now; the backend calls when that has changed. A packet
// that is lost on the way is one of no bytes.
bool NetDevice::next_packet() {
    size_t size = 0;
    const auto status = backend_->receive({packet_.get(), kPacketBytes}, size);
    packet_size_ = status == NetBackend::Status::kDone ? size : 0;
    return status != NetBackend::Status::kBusy && backend_->connected();
}

NetDevice::Delivery NetDevice::deliver() {
    NetHeader header;
    if (packet_size_ < sizeof header || !link_)
        return Delivery::kLost;
    memcpy(&header, packet_.get(), sizeof header);
    auto checked = check_receive_header(header, offloads_);
    if (!checked)
        return Delivery::kLost;
    Virtqueue& rx = active_->queues[kRx];
    if (const Delivery collected = collect_buffers(rx); collected != Delivery::kDone)
        return collected;
    checked->num_buffers = static_cast<uint16_t>(buffers_.size());
    memcpy(packet_.get(), &*checked, sizeof *checked);
    copy_to(parts_, packet_.get(), packet_size_);
    size_t rest = packet_size_;
    for (const Buffer& buffer : buffers_) {
        const size_t written = std::min<size_t>(buffer.bytes, rest);
        rx.push(buffer.head, static_cast<uint32_t>(written));
        rest -= written;
    }
    return Delivery::kDone;
}

// Takes as many buffers as the packet needs: one, or several that are merged (5.1.6.4). Unless it gets them, all stay in
// the queue.
NetDevice::Delivery NetDevice::collect_buffers(Virtqueue& rx) {
    const bool mergeable = offloads_ & kNetMrgRxbuf;
    const size_t most = mergeable ? rx.size() : 1;
    size_t room = 0;
    buffers_.clear();
    parts_.clear();
    while (room < packet_size_) {
        if (buffers_.size() == most) { // nor would it fit another time
            rx.unpop(static_cast<uint16_t>(most));
            return Delivery::kLost;
        }
        const Virtqueue::Pop pop = rx.pop(chain_);
        if (pop == Virtqueue::Pop::kBroken)
            return Delivery::kBroken;
        if (pop == Virtqueue::Pop::kEmpty) {
            if (rx.enable_notifications())
                continue;
            rx.unpop(static_cast<uint16_t>(buffers_.size()));
            return Delivery::kNoBuffers;
        }
        slice(chain_.writable, 0, packet_size_ - room, parts_);
        buffers_.push_back({chain_.head, chain_.writable_bytes});
        room += chain_.writable_bytes;
    }
    return Delivery::kDone;
}

} // namespace hrun::virtio
