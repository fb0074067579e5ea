// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/net.h"

#include <algorithm>
#include <cstring>

#include "devices/virtio/config_space.h"
#include "devices/virtio/net_control.h"
#include "devices/virtio/queue_turn.h"

namespace hrun::virtio {

namespace {

constexpr int kPacketsPerTurn = 64;
constexpr int kCommandsPerTurn = 8;
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

Result<std::unique_ptr<NetDevice>>
NetDevice::create(EventLoop& loop, std::vector<std::unique_ptr<NetBackend>> backends, const Config& config) {
    if (backends.empty())
        return Error{EINVAL, "make a network device of no queues"};
    if (config.mtu < kMinMtu)
        return Error{EINVAL, "make a network device with an MTU of " + std::to_string(config.mtu)};
    if (config.mac[0] & kGroupAddress)
        return Error{EINVAL, "make a network device with a group address as its own"};
    std::unique_ptr<NetDevice> device(new NetDevice(loop, std::move(backends), config));
    for (size_t i = 0; i < device->pairs_.size(); ++i)
        HRUN_TRY(
            device->pairs_[i].backend->watch(loop, [self = device.get(), i] { self->backend_changed(i); }));
    return device;
}

Result<std::unique_ptr<NetDevice>> NetDevice::create(EventLoop& loop, std::unique_ptr<NetBackend> backend,
                                                     const Config& config) {
    std::vector<std::unique_ptr<NetBackend>> backends;
    backends.push_back(std::move(backend));
    return create(loop, std::move(backends), config);
}

NetDevice::NetDevice(EventLoop& loop, std::vector<std::unique_ptr<NetBackend>> backends, const Config& config)
    : loop_(loop), queue_sizes_(2 * backends.size() + (backends.size() > 1 ? 1 : 0), kQueueSize),
      config_(config) {
    for (auto& backend : backends)
        pairs_.push_back({std::move(backend), std::make_unique_for_overwrite<std::byte[]>(kPacketBytes)});
}

uint64_t NetDevice::device_features() const {
    return kFeatureVersion1 | kFeatureIndirectDesc | kFeatureEventIdx | kNetMac | kNetMtu | kNetStatus |
           kNetMrgRxbuf | interface().offloads() | (pairs_.size() > 1 ? kNetCtrlVq | kNetMq : 0);
}

std::span<const uint16_t> NetDevice::queue_max_sizes() const {
    return queue_sizes_;
}

void NetDevice::read_config(uint32_t offset, std::span<std::byte> out) const {
    NetConfig config{};
    std::copy(config_.mac.begin(), config_.mac.end(), config.mac);
    config.status = link_up() ? kLinkUp : 0;
    config.max_virtqueue_pairs = static_cast<uint16_t>(pairs_.size());
    config.mtu = config_.mtu;
    read_config_space(std::as_bytes(std::span(&config, 1)), offset, out);
}

void NetDevice::activate(const Activation& activation) {
    active_ = activation;
    offloads_ = usable_offloads(activation.features);
    told_up_ = link_up();
    if (!agreed(kNetMq | kNetCtrlVq))
        in_use_ = 1;                     // what was loaded may be more
    interface().set_offloads(offloads_); // of all backends
    schedule();
}

void NetDevice::deactivate() {
    turn_.reset();
    active_.reset();
    for (Pair& pair : pairs_)
        pair.packet_size = 0;
    in_use_ = 1;
    offloads_ = 0;
    interface().set_offloads(0);
}

void NetDevice::queue_notify(uint16_t index) {
    const size_t pair = index / 2;
    if (pair >= in_use_)
        process_control();
    else if (index == tx_of(pair))
        process_tx(pair);
    else
        process_rx(pair);
}

void NetDevice::schedule() {
    if (!turn_.active())
        turn_ = loop_.after({}, [this] { process_all(); });
}

void NetDevice::process_all() {
    process_control();
    for (size_t pair = 0; pair < in_use_; ++pair) {
        process_tx(pair);
        process_rx(pair);
    }
    tell_link();
}

void NetDevice::backend_changed(size_t pair) {
    if (pair < in_use_)
        process_tx(pair);
    process_rx(pair % in_use_);
    tell_link();
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

// ---- control queue

// It is the one behind all pairs, or behind the first where no more were agreed on (5.1.2).
void NetDevice::process_control() {
    if (!agreed(kNetCtrlVq))
        return;
    const uint16_t index = rx_of(agreed(kNetMq) ? pairs_.size() : 1);
    const auto handle = [this](const DescriptorChain& chain) { return std::optional(control(chain)); };
    if (take_turn(*active_, index, kCommandsPerTurn, chain_, handle) == Turn::kMore)
        schedule();
}

// A command without room for an answer is none, and not carried out.
uint32_t NetDevice::control(const DescriptorChain& chain) {
    if (chain.writable_bytes == 0)
        return 0;
    const auto pairs = pairs_wanted(chain, agreed(kNetMq) ? pairs_.size() : 0);
    if (pairs)
        use_pairs(*pairs);
    const uint8_t ack = pairs ? kNetOk : kNetErr;
    return static_cast<uint32_t>(copy_to(chain.writable, &ack, sizeof ack));
}

// A packet that waits for a buffer of a queue which is used no more is lost.
void NetDevice::use_pairs(uint16_t count) {
    for (size_t pair = count; pair < in_use_; ++pair)
        counters_.receive_lost += std::exchange(pairs_[pair].packet_size, 0) > 0;
    in_use_ = count;
    schedule(); // chains may wait in queues that were not
}

void NetDevice::save(ByteWriter& out) const {
    if (pairs_.size() > 1)
        out.put<uint16_t>(in_use_);
}

Result<void> NetDevice::load(ByteReader& in) {
    const uint16_t in_use = pairs_.size() > 1 ? in.take<uint16_t>() : 1;
    if (in_use < 1 || in_use > pairs_.size())
        return Error{EBADMSG,
                     "restore a network device with " + std::to_string(in_use) + " pairs of queues in use"};
    in_use_ = in_use;
    return {};
}

// ---- guest to host

void NetDevice::process_tx(size_t pair) {
    if (!active_)
        return;
    const auto handle = [this, &backend = *pairs_[pair].backend](const DescriptorChain& chain) {
        return send(backend, chain);
    };
    if (take_turn(*active_, tx_of(pair), kPacketsPerTurn, chain_, handle) == Turn::kMore)
        schedule();
}

std::optional<uint32_t> NetDevice::send(NetBackend& backend, const DescriptorChain& chain) {
    NetBackend::Status status = NetBackend::Status::kLost;
    if (link_up() && collect_packet(chain))
        status = backend.send(parts_);
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

void NetDevice::process_rx(size_t pair) {
    const uint16_t index = rx_of(pair);
    if (!active_ || active_->queues.size() <= index || !active_->queues[index].ready())
        return;
    Virtqueue& rx = active_->queues[index];
    size_t& size = pairs_[pair].packet_size;
    rx.disable_notifications();
    Delivery delivery = Delivery::kDone;
    int left = kPacketsPerTurn;
    ++pairs_[pair].turns;
    for (; left > 0 && (size > 0 || next_packet(pair)); --left) {
        delivery = deliver(pair);
        if (delivery == Delivery::kNoBuffers || delivery == Delivery::kBroken)
            break;
        size = 0;
        ++(delivery == Delivery::kDone ? counters_.received : counters_.receive_lost);
    }
    if (rx.publish())
        active_->interrupt->signal_queue(index);
    if (delivery == Delivery::kBroken)
        active_->interrupt->signal_broken(index);
    if (left == 0)
        schedule();
}

// Takes the next packet from the pair's backend, or one of those that have no pair in use and fall to this; another is the first each
// turn. False when there is none now; a backend calls when that has changed. A packet that is lost on the way is one of no bytes.
bool NetDevice::next_packet(size_t pair) {
    Pair& own = pairs_[pair];
    const size_t sources = (pairs_.size() - pair + in_use_ - 1) / in_use_;
    for (size_t i = 0; i < sources; ++i) {
        NetBackend& backend = *pairs_[pair + (own.turns + i) % sources * in_use_].backend;
        size_t size = 0;
        const auto status = backend.receive({own.packet.get(), kPacketBytes}, size);
        own.packet_size = status == NetBackend::Status::kDone ? size : 0;
        if (status != NetBackend::Status::kBusy && backend.connected())
            return true;
    }
    return false;
}

NetDevice::Delivery NetDevice::deliver(size_t pair) {
    const Pair& own = pairs_[pair];
    std::byte* const packet = own.packet.get();
    NetHeader header;
    if (own.packet_size < sizeof header || !link_)
        return Delivery::kLost;
    memcpy(&header, packet, sizeof header);
    auto checked = check_receive_header(header, offloads_);
    if (!checked)
        return Delivery::kLost;
    Virtqueue& rx = active_->queues[rx_of(pair)];
    if (const Delivery collected = collect_buffers(rx, own.packet_size); collected != Delivery::kDone)
        return collected;
    checked->num_buffers = static_cast<uint16_t>(buffers_.size());
    memcpy(packet, &*checked, sizeof *checked);
    copy_to(parts_, packet, own.packet_size);
    size_t rest = own.packet_size;
    for (const Buffer& buffer : buffers_) {
        const size_t written = std::min<size_t>(buffer.bytes, rest);
        rx.push(buffer.head, static_cast<uint32_t>(written));
        rest -= written;
    }
    return Delivery::kDone;
}

// Takes as many buffers as a packet of `size` bytes needs: one, or several that are merged (5.1.6.4). Unless it gets them, all stay in
// the queue.
NetDevice::Delivery NetDevice::collect_buffers(Virtqueue& rx, size_t size) {
    const bool mergeable = offloads_ & kNetMrgRxbuf;
    const size_t most = mergeable ? rx.size() : 1;
    size_t room = 0;
    buffers_.clear();
    parts_.clear();
    while (room < size) {
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
        slice(chain_.writable, 0, size - room, parts_);
        buffers_.push_back({chain_.head, chain_.writable_bytes});
        room += chain_.writable_bytes;
    }
    return Delivery::kDone;
}

} // namespace hrun::virtio
