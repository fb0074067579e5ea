// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/vsock.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "devices/guest_vsock.h"

namespace hrun::virtio {
namespace {

using namespace test;

TEST_CASE("the configuration space is the guest's CID") {
    GuestVsock guest;
    uint64_t cid = 0;
    guest.device->read_config(0, std::as_writable_bytes(std::span(&cid, 1)));
    CHECK(cid == kCid);
    guest.device->read_config(8, std::as_writable_bytes(std::span(&cid, 1)));
    CHECK(cid == 0);
    guest.device->read_config(UINT32_MAX, std::as_writable_bytes(std::span(&cid, 1)));
    CHECK(cid == 0);
}

TEST_CASE("a guest's connection carries bytes both ways") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    guest.send_op(kVsockOpRw, 5000, 1, "from guest");
    CHECK(read_available(host.get()) == "from guest");
    REQUIRE(write(host.get(), "from host", 9) == 9);
    const Packet packet = guest.expect(kVsockOpRw);
    CHECK(packet.payload == "from host");
    CHECK(packet.header.src_cid == kVsockHostCid);
    CHECK(packet.header.dst_cid == kCid);
    CHECK(packet.header.src_port == 1);
    CHECK(packet.header.dst_port == 5000);
    CHECK(packet.header.fwd_cnt == 10);
    CHECK(packet.header.buf_alloc == VsockStream::kBufferBytes);
}

TEST_CASE("a guest's connection to a port where nobody listens is reset") {
    GuestVsock guest;
    guest.start();
    guest.refuse = true;
    guest.send_op(kVsockOpRequest, 5000, 1);
    CHECK(guest.expect(kVsockOpRst).header.dst_port == 5000);
    CHECK(guest.device->connection_count() == 0);
}

struct Outcome {
    std::optional<VsockKey> key;
    int error = 0;

    VsockConnection::Connected callback() {
        return [this](Result<VsockKey> result) {
            if (result)
                key = *result;
            else
                error = result.error().code;
        };
    }
};

TEST_CASE("a connection asked for by the host waits for the driver and is told when it is made") {
    GuestVsock guest;
    Outcome outcome;
    auto pair = unix_pair();
    REQUIRE(guest.device->connect(1024, std::move(pair->second), outcome.callback()));
    guest.settle();
    CHECK_FALSE(outcome.key);
    guest.start();
    const Packet request = guest.expect(kVsockOpRequest);
    CHECK(request.header.dst_port == 1024);
    guest.send_op(kVsockOpResponse, 1024, request.header.src_port);
    REQUIRE(outcome.key);
    CHECK(outcome.key->host_port == request.header.src_port);
    REQUIRE(write(pair->first.get(), "hi", 2) == 2);
    CHECK(guest.expect(kVsockOpRw).payload == "hi");
}

TEST_CASE("a connection that the guest refuses is reported as refused, and the host sees the end") {
    GuestVsock guest;
    guest.start();
    Outcome outcome;
    auto pair = unix_pair();
    REQUIRE(guest.device->connect(1024, std::move(pair->second), outcome.callback()));
    const Packet request = guest.expect(kVsockOpRequest);
    guest.send_op(kVsockOpRst, 1024, request.header.src_port);
    CHECK(outcome.error == ECONNREFUSED);
    CHECK(at_end(pair->first.get()));
    guest.expect_silence();
}

TEST_CASE("a host that goes away before the guest answers cancels the connection") {
    GuestVsock guest;
    guest.start();
    Outcome outcome;
    auto pair = unix_pair();
    REQUIRE(guest.device->connect(1024, std::move(pair->second), outcome.callback()));
    guest.expect(kVsockOpRequest);
    pair->first.reset();
    guest.expect(kVsockOpRst);
    CHECK(outcome.error == ECANCELED);
    CHECK(guest.device->connection_count() == 0);
}

TEST_CASE("a guest that shuts its sending side sees the host's answer still arrive") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    guest.send_op(kVsockOpRw, 5000, 1, "question");
    VsockHeader half = guest.header(kVsockOpShutdown, 5000, 1);
    half.flags = kVsockShutdownSend;
    guest.send(half);
    CHECK(read_available(host.get()) == "question");
    CHECK(at_end(host.get()));
    REQUIRE(write(host.get(), "answer", 6) == 6);
    CHECK(guest.expect(kVsockOpRw).payload == "answer");
}

TEST_CASE("a host that shuts its sending side still gets the guest's bytes") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    REQUIRE(write(host.get(), "last", 4) == 4);
    REQUIRE(shutdown(host.get(), SHUT_WR) == 0);
    CHECK(guest.expect(kVsockOpRw).payload == "last");
    CHECK(guest.expect(kVsockOpShutdown).header.flags == kVsockShutdownSend);
    guest.send_op(kVsockOpRw, 5000, 1, "answer");
    CHECK(read_available(host.get()) == "answer");
}

TEST_CASE("a closed host is announced to the guest, whose RST ends the connection") {
    GuestVsock guest;
    guest.start();
    guest.open(5000, 1).reset();
    uint32_t flags = 0;
    while (flags != kVsockShutdownBoth)
        flags |= guest.expect(kVsockOpShutdown).header.flags;
    guest.send_op(kVsockOpRst, 5000, 1);
    CHECK(guest.device->connection_count() == 0);
    guest.expect_silence();
}

TEST_CASE("a guest that shuts both sides is answered with RST once the host has its bytes") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    guest.send_op(kVsockOpRw, 5000, 1, "bye");
    VsockHeader close = guest.header(kVsockOpShutdown, 5000, 1);
    close.flags = kVsockShutdownBoth;
    guest.send(close);
    guest.expect(kVsockOpRst);
    CHECK(read_available(host.get()) == "bye");
    CHECK(at_end(host.get()));
    CHECK(guest.device->connection_count() == 0);
}

TEST_CASE("packets for connections that do not exist are reset, resets are not answered") {
    GuestVsock guest;
    guest.start();
    for (const VsockOp op : {kVsockOpResponse, kVsockOpShutdown, kVsockOpRw, kVsockOpCreditUpdate}) {
        guest.send_op(op, 7, 8);
        const Packet rst = guest.expect(kVsockOpRst);
        CHECK(rst.header.src_port == 8);
        CHECK(rst.header.dst_port == 7);
    }
    guest.send_op(kVsockOpRst, 7, 8);
    guest.expect_silence();
}

TEST_CASE("the guest gets no more bytes than the credit it gave") {
    GuestVsock guest;
    guest.buffer = 1000;
    guest.start();
    const Fd host = guest.open(5000, 1);
    const std::string bytes = pattern(2500);
    REQUIRE(write(host.get(), bytes.data(), bytes.size()) == 2500);
    std::string got = guest.expect(kVsockOpRw).payload;
    CHECK(got.size() == 1000);
    guest.expect_silence();
    guest.forwarded = 600;
    guest.send_op(kVsockOpCreditUpdate, 5000, 1);
    got += guest.expect(kVsockOpRw).payload;
    CHECK(got.size() == 1600);
    guest.forwarded = 1600;
    guest.send_op(kVsockOpCreditUpdate, 5000, 1);
    got += guest.expect(kVsockOpRw).payload;
    CHECK(got == bytes);
}

// Sends until the host's socket and the device's buffer are full; returns how much the device took.
size_t fill(GuestVsock& guest, const std::string& chunk) {
    size_t sent = 0;
    uint32_t forwarded = 0;
    for (;;) {
        while (const auto packet = guest.receive())
            forwarded = packet->header.fwd_cnt;
        if (sent - forwarded + chunk.size() > VsockStream::kBufferBytes)
            return sent;
        guest.send_op(kVsockOpRw, 5000, 1, chunk);
        sent += chunk.size();
    }
}

TEST_CASE("a guest whose host does not read runs out of credit, and gets it back when the host reads") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    const std::string chunk = pattern(32768);
    const size_t sent = fill(guest, chunk);
    std::string all;
    while (all.size() < sent) {
        const std::string more = read_available(host.get());
        all += more;
        guest.settle();
        REQUIRE(all.size() <= sent);
    }
    for (size_t at = 0; at < all.size(); at += chunk.size())
        REQUIRE(all.compare(at, chunk.size(), chunk) == 0);
    uint32_t forwarded = 0;
    while (const auto packet = guest.receive())
        forwarded = packet->header.fwd_cnt;
    CHECK(sent - forwarded < VsockStream::kBufferBytes / 2);
}

TEST_CASE("CREDIT_REQUEST is answered with the present credit") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    guest.send_op(kVsockOpRw, 5000, 1, "12345");
    guest.send_op(kVsockOpCreditRequest, 5000, 1);
    CHECK(guest.expect(kVsockOpCreditUpdate).header.fwd_cnt == 5);
}

TEST_CASE("a connection that does not move holds up no other") {
    GuestVsock guest;
    guest.start();
    const Fd stuck = guest.open(5000, 1);
    const Fd other = guest.open(5001, 2);
    fill(guest, pattern(32768));
    VsockHeader no_credit = guest.header(kVsockOpCreditUpdate, 5000, 1);
    no_credit.buf_alloc = 0;
    guest.send(no_credit);
    REQUIRE(write(stuck.get(), "waits", 5) == 5);
    guest.send_op(kVsockOpRw, 5001, 2, "ping");
    CHECK(read_available(other.get()) == "ping");
    REQUIRE(write(other.get(), "pong", 4) == 4);
    const Packet packet = guest.expect(kVsockOpRw);
    CHECK(packet.payload == "pong");
    CHECK(packet.header.dst_port == 5001);
}

TEST_CASE("bytes that the guest sent before it reset the connection still reach the host") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    const size_t sent = fill(guest, pattern(32768));
    guest.send_op(kVsockOpRst, 5000, 1);
    size_t read = 0;
    while (guest.device->connection_count() > 0) {
        read += read_available(host.get()).size();
        guest.settle();
    }
    read += read_available(host.get()).size();
    CHECK(read == sent);
    CHECK(at_end(host.get()));
}

TEST_CASE("a reset of the device ends every connection and the next driver finds none") {
    GuestVsock guest;
    guest.start();
    const Fd host = guest.open(5000, 1);
    Outcome outcome;
    auto pair = unix_pair();
    REQUIRE(guest.device->connect(9, std::move(pair->second), outcome.callback()));
    guest.device->deactivate();
    CHECK(at_end(host.get()));
    CHECK(outcome.error == ECONNRESET);
    CHECK(guest.device->connection_count() == 0);
    guest.device->queue_notify(VsockDevice::kTx);
    guest.settle();
}

TEST_CASE("two megabytes pass in both directions unchanged") {
    GuestVsock guest;
    guest.start(kFeatureVersion1 | kFeatureEventIdx);
    const Fd host = guest.open(5000, 1);
    const std::string bytes = pattern(2 << 20);
    std::string up;
    std::string down;
    size_t written = 0;
    size_t sent = 0;
    uint32_t told = 0;
    while (up.size() < bytes.size() || down.size() < bytes.size()) {
        if (sent < bytes.size() && sent - told + 8192 <= VsockStream::kBufferBytes) {
            guest.send_op(kVsockOpRw, 5000, 1, bytes.substr(sent, 8192));
            sent += 8192;
        }
        up += read_available(host.get());
        const ssize_t count = write(host.get(), bytes.data() + written, bytes.size() - written);
        written += count > 0 ? static_cast<size_t>(count) : 0;
        while (const auto used = guest.receive()) {
            told = used->header.fwd_cnt;
            down += used->payload;
            guest.forwarded += used->header.len;
        }
        guest.send_op(kVsockOpCreditUpdate, 5000, 1);
    }
    CHECK(up == bytes);
    CHECK(down == bytes);
}

} // namespace
} // namespace hrun::virtio
