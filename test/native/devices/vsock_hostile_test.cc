// SPDX-License-Identifier: Apache-2.0
// What a guest may put into its vsock queues to harm the host. It may lose its own connections, nothing more.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include "devices/guest_vsock.h"

namespace hrun::virtio {
namespace {

using namespace test;

TEST_CASE("a descriptor shorter than a header is returned and ignored") {
    GuestVsock guest;
    guest.start();
    auto& tx = guest.drivers[VsockDevice::kTx];
    tx.offer({{0x8000, sizeof(VsockHeader) - 1}});
    guest.device->queue_notify(VsockDevice::kTx);
    CHECK(tx.take_used());
    guest.expect_silence();
    CHECK(guest.broken.empty());
}

TEST_CASE("a header that claims more payload than there is in the chain is ignored") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    guest.send(guest.header(kVsockOpRw, 5000, 1), "four", 5);
    guest.send(guest.header(kVsockOpRw, 5000, 1), "four", UINT32_MAX);
    guest.send(guest.header(kVsockOpRw, 5000, 1), "", 1);
    CHECK(read_available(host.get()).empty());
    guest.expect_silence();
}

TEST_CASE("bytes beyond the claimed length are not taken") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    guest.send(guest.header(kVsockOpRw, 5000, 1), "secret", 3);
    CHECK(read_available(host.get()) == "sec");
}

TEST_CASE("a guest that sends beyond its credit loses the connection, not the host its memory") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    const std::string chunk = pattern(65536);
    std::optional<Packet> packet;
    for (int i = 0; i < 100 && (!packet || packet->header.op != kVsockOpRst); ++i) {
        guest.send_op(kVsockOpRw, 5000, 1, chunk);
        packet = guest.receive();
    }
    REQUIRE(packet);
    CHECK(static_cast<VsockOp>(packet->header.op) == kVsockOpRst);
}

TEST_CASE("credit counters that make no sense stop data and nothing else") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    VsockHeader lie = guest.header(kVsockOpCreditUpdate, 5000, 1);
    lie.fwd_cnt = 1; // more than was ever sent
    guest.send(lie);
    REQUIRE(write(host.get(), "x", 1) == 1);
    guest.expect_silence();
    lie.fwd_cnt = 0;
    guest.send(lie);
    CHECK(guest.expect(kVsockOpRw).payload == "x");
}

TEST_CASE("packets from or to a foreign CID are dropped in silence") {
    GuestVsock guest;
    guest.start();
    VsockHeader header = guest.header(kVsockOpRequest, 5000, 1);
    header.src_cid = 99;
    guest.send(header);
    header.src_cid = kCid;
    header.dst_cid = 99;
    guest.send(header);
    header.dst_cid = UINT64_MAX;
    guest.send(header);
    guest.expect_silence();
    CHECK(guest.accepted.empty());
}

TEST_CASE("a packet of another socket type is reset") {
    GuestVsock guest;
    guest.start();
    VsockHeader header = guest.header(kVsockOpRequest, 5000, 1);
    header.type = 2;
    guest.send(header);
    CHECK(guest.expect(kVsockOpRst).header.type == 2);
}

TEST_CASE("an operation that does not fit the connection's state resets it") {
    GuestVsock guest;
    guest.start();
    VsockOp op{};
    SUBCASE("REQUEST for a connection that exists") {
        op = kVsockOpRequest;
    }
    SUBCASE("RESPONSE to nothing") {
        op = kVsockOpResponse;
    }
    SUBCASE("an unknown operation") {
        op = static_cast<VsockOp>(200);
    }
    SUBCASE("operation 0") {
        op = static_cast<VsockOp>(0);
    }
    const Fd host = guest.open(5000, 1);
    guest.send_op(op, 5000, 1);
    guest.expect(kVsockOpRst);
    CHECK(at_end(host.get()));
    CHECK(guest.device->connection_count() == 0);
}

TEST_CASE("data for a connection that is not yet made, or after the guest's shutdown, resets it") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    VsockHeader half = guest.header(kVsockOpShutdown, 5000, 1);
    half.flags = kVsockShutdownSend;
    guest.send(half);
    guest.send_op(kVsockOpRw, 5000, 1, "more");
    guest.expect(kVsockOpRst);
    CHECK(read_available(host.get()).empty());
}

TEST_CASE("a storm of packets to nowhere is held back until the guest takes the answers") {
    GuestVsock guest;
    guest.start();
    auto& rx = guest.drivers[VsockDevice::kRx];
    auto& tx = guest.drivers[VsockDevice::kTx];
    constexpr int kStorm = 5000;
    int answered = 0;
    while (rx.take_used()) {
    }
    int returned = 0;
    for (int i = 0; i < kStorm; ++i) { // nobody takes the answers
        const VsockHeader header = guest.header(kVsockOpRw, 7, 8);
        REQUIRE(guest.memory.write(0x8000, &header, sizeof header));
        if (tx.free_descriptors() > 0)
            tx.offer({{0x8000, sizeof header}});
        guest.device->queue_notify(VsockDevice::kTx);
        while (tx.take_used())
            ++returned;
    }
    CHECK(returned <= static_cast<int>(VsockDevice::kMaxReplies) + 2 * GuestVsock::kSize);
    while (guest.receive()) { // now they are taken, and the rest goes on
        ++answered;
        while (tx.take_used())
            ++returned;
    }
    CHECK(answered >= returned);
    CHECK(answered > static_cast<int>(VsockDevice::kMaxReplies));
}

TEST_CASE("connections that end while the guest takes no answers leave nothing behind") {
    GuestVsock guest;
    guest.start();
    auto& rx = guest.drivers[VsockDevice::kRx];
    for (uint32_t port = 0; port < 100; ++port) { // fills the receive queue and goes on
        guest.send_op(kVsockOpRequest, port, 1);
        guest.send_op(kVsockOpRst, port, 1);
    }
    CHECK(guest.device->connection_count() == 0);
    for (Fd& host : guest.accepted) {
        CHECK(send(host.get(), "x", 1, MSG_NOSIGNAL) == -1);
        host.reset();
    }
    guest.settle();
    while (rx.take_used()) {
    }
}

TEST_CASE("more connections than the limit are reset") {
    GuestVsock guest;
    guest.start();
    std::vector<Fd> hosts;
    for (uint32_t i = 0; i < VsockDevice::kMaxConnections; ++i)
        hosts.push_back(guest.open(i, 1));
    guest.send_op(kVsockOpRequest, 100000, 1);
    guest.expect(kVsockOpRst);
    auto pair = unix_pair();
    CHECK(guest.device->connect(1, std::move(pair->second), nullptr).error().code == EMFILE);
    guest.send_op(kVsockOpRst, 0, 1);
    guest.open(100000, 1);
}

TEST_CASE("receive buffers too small for a header go back empty and the packet takes the next one") {
    GuestVsock guest;
    for (size_t i = 0; i < guest.queues.size(); ++i)
        REQUIRE(guest.queues[i].start(guest.memory, guest.drivers[i].layout(), 0, {}));
    guest.device->activate({&guest.memory, guest.queues, &guest, 0});
    auto& rx = guest.drivers[VsockDevice::kRx];
    rx.offer({{0x10000, 10, true}});
    rx.offer({{0x10000, 43, true}});
    guest.offer_rx(2);
    guest.send_op(kVsockOpRw, 7, 8);
    CHECK(rx.take_used()->length == 0);
    CHECK(rx.take_used()->length == 0);
    guest.expect(kVsockOpRst);
}

TEST_CASE("a broken queue is reported once and ends the device's work on it") {
    GuestVsock guest;
    guest.start();
    auto& tx = guest.drivers[VsockDevice::kTx];
    tx.descriptor(0) = {UINT64_MAX, 44, 0, 0};
    tx.offer_head(0);
    guest.device->queue_notify(VsockDevice::kTx);
    guest.device->queue_notify(VsockDevice::kTx);
    CHECK(guest.broken == std::vector<uint16_t>{VsockDevice::kTx});
}

TEST_CASE("notifications without work, for other queues or before activation do nothing") {
    GuestVsock guest;
    guest.device->queue_notify(VsockDevice::kTx);
    guest.device->queue_notify(7);
    guest.start();
    for (int i = 0; i < 1000; ++i)
        for (uint16_t queue = 0; queue < 5; ++queue)
            guest.device->queue_notify(queue);
    guest.expect_silence();
}

} // namespace
} // namespace hrun::virtio
