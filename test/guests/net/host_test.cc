// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/net.h"

#include <doctest/doctest.h>
#include <endian.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cstring>

#include "base/unix_socket.h"
#include "devices/virtio/net_stream.h"
#include "devices/virtio/net_tap.h"
#include "harness.h"
#include "net/tap_network.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;
using hrun::test::TapNetwork;

namespace {

constexpr test::MacAddress kMac{0x52, 0x54, 0x00, 0x01, 0x02, 0x03};
constexpr test::MacAddress kOther{0x52, 0x54, 0x00, 0x0a, 0x0b, 0x0c};

// True where this process may make network namespaces; else says why the tests with a tap are skipped.
bool tap_usable() {
    static const bool usable = [] {
        const Result<TapNetwork> network = test::make_tap_network(kMac, 1, 1);
        if (!network)
            fprintf(stderr, "skipped: %s\n", network.error().message().c_str());
        return static_cast<bool>(network);
    }();
    return usable;
}

std::vector<std::unique_ptr<virtio::NetBackend>> backends_of(TapNetwork& network) {
    std::vector<std::unique_ptr<virtio::NetBackend>> backends;
    for (Fd& queue : network.queues) {
        auto tap = virtio::NetTap::create(std::move(queue));
        REQUIRE(tap);
        backends.push_back(std::move(*tap));
    }
    return backends;
}

template <class Backends> virtio::NetDevice& add_card(GuestRun& run, Backends backends) {
    auto card = virtio::NetDevice::create(run.loop(), std::move(backends), {kMac, 1500});
    REQUIRE(card);
    return run.add(0, std::move(*card));
}

// A packet from kOther to the guest, of a type nobody else uses.
std::string local_packet(const std::string& payload) {
    std::string packet(kMac.begin(), kMac.end());
    packet.append(kOther.begin(), kOther.end());
    return packet + "\x88\xb5" + payload;
}

std::string framed(const std::string& packet) {
    const uint32_t length = htobe32(static_cast<uint32_t>(packet.size()));
    return std::string(reinterpret_cast<const char*>(&length), sizeof length) + packet;
}

std::string answered(std::string packet) {
    return packet.substr(6, 6) + packet.substr(0, 6) + packet.substr(12);
}

// Sends `payload` until it comes back over UDP: an interface that has just come up may lose the first packets.
void exchange(GuestRun& run, int udp, const std::string& payload) {
    REQUIRE(send(udp, payload.data(), payload.size(), 0) == static_cast<ssize_t>(payload.size()));
    std::string back(payload.size() + 1, '\0');
    ssize_t got = -1;
    run.until([&] { return (got = recv(udp, back.data(), back.size(), 0)) >= 0; });
    back.resize(static_cast<size_t>(got));
    CHECK(back == payload);
}

// A TCP segment of `size` bytes to the guest, for whoever cuts it into packets of 1428 bytes. `ip` is its IP header.
std::string large_segment(uint8_t gso, const std::string& type, const std::string& ip, size_t size) {
    const auto begin = static_cast<uint16_t>(14 + ip.size());
    const virtio::NetHeader header{
        virtio::kNetNeedsCsum, gso, static_cast<uint16_t>(begin + 20), 1428, begin, 16, 0};
    std::string bytes(reinterpret_cast<const char*>(&header), 10); // PACKET_VNET_HDR has no num_buffers
    std::string tcp("\x12\x34\x00\x07\x00\x00\x00\x01\x00\x00\x00\x01\x50\x10\xff\xff\x00\x00\x00\x00", 20);
    return bytes + local_packet("").substr(0, 12) + type + ip + tcp + std::string(size, 's');
}

std::string big_endian(size_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string large_segment_over_ipv4(size_t size) {
    const std::string ip =
        "\x45" + std::string(1, '\0') + big_endian(20 + 20 + size) +
        std::string("\x00\x00\x40\x00\x40\x06\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02", 16);
    return large_segment(virtio::kNetGsoTcpV4, std::string("\x08\x00", 2), ip, size);
}

std::string large_segment_over_ipv6(size_t size) {
    const std::string network("\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 15);
    const std::string ip = std::string("\x60\x00\x00\x00", 4) + big_endian(20 + size) + "\x06\x40" + network +
                           "\x01" + network + "\x02";
    return large_segment(virtio::kNetGsoTcpV6, "\x86\xdd", ip, size);
}

// The next packet that came from the guest and is `size` bytes long with its header; empty when there is none.
std::string packet_from_guest(int packets, size_t size) {
    std::string bytes(70000, '\0');
    sockaddr_ll from{};
    socklen_t length = sizeof from;
    const ssize_t got =
        recvfrom(packets, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (got != static_cast<ssize_t>(size) || from.sll_pkttype == PACKET_OUTGOING)
        return "";
    bytes.resize(size);
    return bytes;
}

void send_packet(int packets, const std::string& bytes) {
    REQUIRE(send(packets, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

} // namespace

TEST_CASE("packets pass between a tap interface and a guest, checksums and segmentation left to the last" *
          doctest::skip(!kvm_usable() || !tap_usable())) {
    Result<TapNetwork> network = test::make_tap_network(kMac, 1, 1);
    REQUIRE(network);
    GuestRun run("net");
    const virtio::NetDevice& card = add_card(run, backends_of(*network));
    run.start();
    run.until_console("offloads agreed, pairs 1\n");
    exchange(run, network->flows[0].get(), "hello, guest");
    exchange(run, network->flows[0].get(), std::string(1472, 'u')); // a full packet

    constexpr size_t kSegment = 20000;
    for (const std::string& sent : {large_segment_over_ipv4(kSegment), large_segment_over_ipv6(kSegment)}) {
        send_packet(network->packets.get(), sent);
        std::string back;
        run.until([&] { return !(back = packet_from_guest(network->packets.get(), sent.size())).empty(); });
        CHECK(back[1] == sent[1]); // one piece, not fifteen, and still to be cut in the same way
        CHECK(back[0] == virtio::kNetNeedsCsum);
        CHECK(back.substr(back.size() - kSegment) == std::string(kSegment, 's'));
    }

    send_packet(network->packets.get(), std::string(10, '\0') + local_packet("quit"));
    run.expect_ok();
    const std::string said = run.console();
    CHECK(said.find("largest " + std::to_string(12 + 74 + kSegment) + " ") != std::string::npos);
    CHECK(said.find("segmented 2 ") != std::string::npos);
    CHECK(said.find("merged 2 ") != std::string::npos); // each over many of its buffers of 2 KiB
    CHECK(said.find("unsummed 0") == std::string::npos);
    CHECK(card.counters().send_lost == 0);
    MESSAGE(said);
}

// The kernel says by a hash of a flow's ports which queue it takes, so that of 64 flows one queue has all once in 2^63 tries.
TEST_CASE("packets of many flows pass by two pairs of queues, of three that there are, and each queue of the "
          "tap is served" *
          doctest::skip(!kvm_usable() || !tap_usable())) {
    for (const size_t queues : {2u, 3u}) {
        CAPTURE(queues);
        Result<TapNetwork> network = test::make_tap_network(kMac, queues, 64);
        REQUIRE(network);
        GuestRun run("net");
        const virtio::NetDevice& card = add_card(run, backends_of(*network));
        run.start();
        run.until_console("offloads agreed, pairs 2\n");
        CHECK(card.pairs_in_use() == 2);
        for (int round = 0; round < 2; ++round)
            for (size_t i = 0; i < network->flows.size(); ++i)
                exchange(run, network->flows[i].get(), "flow " + std::to_string(i));
        send_packet(network->packets.get(), std::string(10, '\0') + local_packet("quit"));
        run.expect_ok();
        unsigned first = 0, second = 0;
        const std::string said = run.console();
        REQUIRE(sscanf(said.c_str() + said.find("packets "), "packets %u and %u", &first, &second) == 2);
        CHECK(first > 0);
        CHECK(second > 0);
        CHECK(first + second >= 2 * network->flows.size() + 1);
        CHECK(card.counters().send_lost + card.counters().receive_lost == 0);
        MESSAGE(said);
    }
}

TEST_CASE("packets pass between a stream socket and a guest, in order, also when the peer stops reading" *
          doctest::skip(!kvm_usable())) {
    auto pair = unix_pair();
    REQUIRE(pair);
    GuestRun run("net");
    const virtio::NetDevice& card =
        add_card(run, std::make_unique<virtio::NetStream>(std::move(pair->second)));
    run.start();
    run.until_console("offloads none, pairs 1\n");
    const int peer = pair->first.get();
    // Fill everything between the two: the guest, whose packets nobody reads, must stop taking more.
    std::string pending, expected;
    uint32_t number = 0;
    bool full = false;
    auto send_more = [&] {
        if (pending.empty()) {
            const std::string packet = local_packet("n" + std::to_string(++number) + std::string(1000, '.'));
            pending = framed(packet);
            expected += framed(answered(packet));
        }
        const ssize_t sent = send(peer, pending.data(), pending.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0)
            pending.erase(0, static_cast<size_t>(sent));
        return sent > 0;
    };
    uint64_t passed = 0;
    while (!full) {
        while (send_more()) {
        }
        passed = card.counters().sent;
        for (int i = 0; i < 10; ++i)
            REQUIRE(run.loop().run_once(std::chrono::milliseconds(10)));
        full = card.counters().sent == passed && !send_more();
    }
    CHECK(number > 100);
    CHECK(passed < number);
    std::string received;
    auto receive = [&] {
        char bytes[65536];
        const ssize_t got = recv(peer, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0)
            received.append(bytes, static_cast<size_t>(got));
        if (!pending.empty())
            send_more();
        return received.size() >= expected.size();
    };
    run.until(receive);
    CHECK(received == expected);
    const std::string quit = framed(local_packet("quit"));
    REQUIRE(send(peer, quit.data(), quit.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(quit.size()));
    run.expect_ok();
    CHECK(card.counters().send_lost + card.counters().receive_lost == 0);
    MESSAGE(number, " packets, of which ", passed, " fitted between guest and peer");
}
