// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/vsock.h"

#include "devices/virtio/config_space.h"

namespace hrun::virtio {

namespace {

constexpr uint64_t kFeatureStream = 1ull << 0; // VIRTIO_VSOCK_F_STREAM
constexpr int kPacketsPerTurn = 128;
constexpr auto kResetTimeout = std::chrono::seconds(8); // as Linux's VSOCK_CLOSE_TIMEOUT
constexpr uint16_t kQueueSizes[] = {VsockDevice::kQueueSize, VsockDevice::kQueueSize,
                                    VsockDevice::kQueueSize};

} // namespace

// ---- device

uint64_t VsockDevice::device_features() const {
    return kFeatureVersion1 | kFeatureIndirectDesc | kFeatureEventIdx | kFeatureStream;
}

std::span<const uint16_t> VsockDevice::queue_max_sizes() const {
    return kQueueSizes;
}

// 5.10.4: the guest's CID is all there is.
void VsockDevice::read_config(uint32_t offset, std::span<std::byte> out) const {
    read_config_space(std::as_bytes(std::span(&guest_cid_, 1)), offset, out);
}

void VsockDevice::activate(const Activation& activation) {
    active_ = activation;
    schedule();
}

void VsockDevice::deactivate() {
    active_.reset();
    turn_.reset();
    reset_.forget();
    reset_look_.reset();
    replies_.clear();
    for (auto& [key, connection] : std::exchange(connections_, {})) {
        connection->abandon(ECONNRESET);
        drain(connection);
    }
    ready_.clear();
}

void VsockDevice::queue_notify(uint16_t index) {
    if (index == kTx)
        process_tx();
    process_rx();
}

// The guest may know connections that are gone: the host's ports go on, so that no new one is taken for one of them.
void VsockDevice::save(ByteWriter& out) const {
    out.put<uint8_t>(active_.has_value());
    out.put<uint32_t>(next_host_port_);
}

Result<void> VsockDevice::load(ByteReader& in) {
    const bool was_active = in.take<uint8_t>() != 0;
    const auto port = in.take<uint32_t>();
    if (port < kFirstHostPort || port == UINT32_MAX)
        return Error{EBADMSG, "restore a vsock device at host port " + std::to_string(port)};
    next_host_port_ = port;
    if (was_active)
        reset_.ask();
    return {};
}

// Signals the driver and, when work is left, takes another turn after everybody else's.
void VsockDevice::finish_turn(Queue index, bool broken, bool more) {
    if (queue(index).publish())
        active_->interrupt->signal_queue(index);
    if (broken)
        active_->interrupt->signal_broken(index);
    if (more)
        schedule();
}

void VsockDevice::schedule() {
    if (turn_.active())
        return;
    turn_ = loop_.after({}, [this] {
        process_tx();
        process_rx();
    });
}

// ---- guest to host

void VsockDevice::process_tx() {
    if (!queue_ready(kTx))
        return;
    Virtqueue& tx = queue(kTx);
    tx.disable_notifications();
    Virtqueue::Pop pop = Virtqueue::Pop::kEmpty;
    int left = kPacketsPerTurn;
    while (left > 0 && replies_.size() < kMaxReplies) {
        pop = tx.pop(chain_);
        if (pop == Virtqueue::Pop::kEmpty && tx.enable_notifications())
            continue;
        if (pop != Virtqueue::Pop::kChain)
            break;
        --left;
        handle_chain();
        tx.push(chain_.head, 0);
    }
    finish_turn(kTx, pop == Virtqueue::Pop::kBroken, left == 0);
}

// A packet shorter than its header, or than the length that the header claims, is no packet (CVE-2019-18960).
void VsockDevice::handle_chain() {
    VsockHeader header;
    if (copy_from(chain_.readable, &header, sizeof header) < sizeof header ||
        header.len > chain_.readable_bytes - sizeof header)
        return;
    payload_.clear();
    slice(chain_.readable, sizeof header, header.len, payload_);
    handle_packet(header, payload_);
}

void VsockDevice::handle_packet(const VsockHeader& header, std::span<const iovec> payload) {
    if (header.src_cid != guest_cid_ || header.dst_cid != kVsockHostCid)
        return;
    if (header.type != kVsockStream)
        return reply_reset(header);
    const auto found = connections_.find({header.dst_port, header.src_port});
    if (found == connections_.end()) {
        if (header.op == kVsockOpRequest)
            open_from_guest(header);
        else
            reply_reset(header);
        return;
    }
    const Connection connection = found->second;
    connection->handle(header, payload);
    settle(connection);
}

void VsockDevice::open_from_guest(const VsockHeader& header) {
    if (connection_count() >= kMaxConnections)
        return reply_reset(header);
    auto socket = accept_(header.dst_port);
    if (!socket)
        return reply_reset(header);
    const VsockKey key{header.dst_port, header.src_port};
    if (!add(std::make_shared<VsockConnection>(key, std::move(*socket), header)))
        reply_reset(header);
}

void VsockDevice::reply_reset(const VsockHeader& header) {
    if (header.op == kVsockOpRst)
        return;
    VsockHeader reply = header_to_guest({header.dst_port, header.src_port}, kVsockOpRst);
    reply.type = header.type;
    replies_.push_back(reply);
}

// ---- host to guest

void VsockDevice::process_rx() {
    if (!queue_ready(kRx))
        return;
    if (reset_.holds(*active_, kEvent, chain_)) {
        reset_look_ = loop_.after(VsockReset::kInterval, [this] { process_rx(); });
        return;
    }
    Virtqueue& rx = queue(kRx);
    const bool replies_were_full = replies_.size() >= kMaxReplies;
    Virtqueue::Pop pop = Virtqueue::Pop::kEmpty;
    int left = kPacketsPerTurn;
    while (left > 0 && rx_due()) {
        pop = rx.pop(chain_);
        if (pop != Virtqueue::Pop::kChain)
            break;
        --left;
        const bool fits_header = chain_.writable_bytes >= sizeof(VsockHeader);
        const uint32_t written = fits_header ? fill_chain() : 0;
        if (fits_header && written == 0)
            rx.unpop(1);
        else
            rx.push(chain_.head, written); // a buffer too small for any packet goes back empty
    }
    const bool more = pop == Virtqueue::Pop::kEmpty && wait_for_buffers();
    const bool tx_may_go_on = replies_were_full && replies_.size() < kMaxReplies;
    finish_turn(kRx, pop == Virtqueue::Pop::kBroken, left == 0 || more || tx_may_go_on);
}

// Has the driver notify of new buffers only while packets wait for them. True when some are there already.
bool VsockDevice::wait_for_buffers() {
    if (rx_due())
        return queue(kRx).enable_notifications();
    queue(kRx).disable_notifications();
    return false;
}

// Fills chain_ with one packet. 0: it is still unused, for nothing was to be sent after all.
uint32_t VsockDevice::fill_chain() {
    if (!replies_.empty())
        return send_reply();
    while (!ready_.empty()) {
        const Connection connection = ready_.front();
        ready_.pop_front();
        connection->queued = false;
        const uint32_t written = send_packet(*connection);
        settle(connection);
        if (written > 0)
            return written;
    }
    return 0;
}

uint32_t VsockDevice::send_reply() {
    copy_to(chain_.writable, &replies_.front(), sizeof(VsockHeader));
    replies_.pop_front();
    return sizeof(VsockHeader);
}

uint32_t VsockDevice::send_packet(VsockConnection& connection) {
    payload_.clear();
    slice(chain_.writable, sizeof(VsockHeader), connection.credit(), payload_);
    const auto packet = connection.next_packet(payload_, chain_.writable_bytes - sizeof(VsockHeader));
    if (!packet)
        return 0;
    VsockHeader header = header_to_guest(connection.key(), packet->op);
    header.flags = packet->flags;
    header.len = packet->bytes;
    connection.stamp(header);
    copy_to(chain_.writable, &header, sizeof header);
    return static_cast<uint32_t>(sizeof header) + packet->bytes;
}

VsockHeader VsockDevice::header_to_guest(VsockKey key, VsockOp op) const {
    return {.src_cid = kVsockHostCid,
            .dst_cid = guest_cid_,
            .src_port = key.host_port,
            .dst_port = key.guest_port,
            .len = 0,
            .type = kVsockStream,
            .op = op,
            .flags = 0,
            .buf_alloc = 0,
            .fwd_cnt = 0};
}

// ---- connections

Result<void> VsockDevice::connect(uint32_t guest_port, Fd socket, VsockConnection::Connected connected) {
    if (connection_count() >= kMaxConnections)
        return Error{EMFILE, "connect to vsock port " + std::to_string(guest_port)};
    const VsockKey key{free_host_port(), guest_port};
    return add(std::make_shared<VsockConnection>(key, std::move(socket), std::move(connected)));
}

Result<void> VsockDevice::add(const Connection& connection) {
    HRUN_TRY(connection->stream().watch(loop_, [this, raw = connection.get()] {
        const auto found = connections_.find(raw->key());
        const Connection keep = found->second;
        keep->stream_changed();
        settle(keep);
        process_rx();
    }));
    connections_.emplace(connection->key(), connection);
    settle(connection);
    schedule();
    return {};
}

// Brings the device's lists in line with what a connection has become.
void VsockDevice::settle(const Connection& connection) {
    if (connection->finished())
        return drop(connection);
    if (connection->awaits_reset() && !connection->deadline.active())
        connection->deadline = loop_.after(kResetTimeout, [this, raw = connection.get()] {
            raw->reset(ETIMEDOUT);
            settle(Connection(connections_.at(raw->key())));
            schedule();
        });
    if (connection->has_packet() && !std::exchange(connection->queued, true))
        ready_.push_back(connection);
}

void VsockDevice::drop(const Connection& connection) {
    const auto found = connections_.find(connection->key());
    if (found == connections_.end() || found->second != connection)
        return;
    const Connection keep = connection;
    connections_.erase(found);
    if (std::exchange(keep->queued, false))
        std::erase(ready_, keep);
    keep->deadline.reset();
    drain(keep);
}

// The guest is done with it; bytes that the host has not taken yet stay for it until it reads or closes.
void VsockDevice::drain(Connection connection) {
    connection->stream().unwatch();
    if (connection->stream().drained())
        return;
    VsockConnection* raw = connection.get();
    draining_.emplace(raw, std::move(connection));
    auto changed = [this, raw] {
        raw->stream().flush();
        if (raw->stream().drained())
            draining_.erase(raw);
    };
    if (!raw->stream().watch(loop_, std::move(changed)))
        draining_.erase(raw);
}

uint32_t VsockDevice::free_host_port() {
    for (;;) {
        const uint32_t port = next_host_port_++;
        if (next_host_port_ == UINT32_MAX) // VMADDR_PORT_ANY
            next_host_port_ = kFirstHostPort;
        const auto used = connections_.lower_bound({port, 0});
        if (used == connections_.end() || used->first.host_port != port)
            return port;
    }
}

} // namespace hrun::virtio
