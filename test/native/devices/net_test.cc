// SPDX-License-Identifier: Apache-2.0
// The network device over a stream socket, whose other end the test holds.
#include "devices/virtio/net.h"

#include <doctest/doctest.h>
#include <endian.h>
#include <sys/socket.h>

#include "base/unix_socket.h"
#include "devices/guest_device.h"
#include "devices/virtio/net_stream.h"

namespace hrun::virtio {
namespace {

using test::GuestDevice;
constexpr uint64_t kAt = GuestDevice::kBuffers;
constexpr uint32_t kHeader = sizeof(NetHeader);
constexpr NetDevice::Config kConfig{{0x52, 0x54, 0, 1, 2, 3}, 1400};

std::string packet(size_t size, char fill = 'p') {
    return std::string(size, fill);
}

struct Rig {
    explicit Rig(uint64_t features = kNetMrgRxbuf | kNetStatus) {
        auto pair = unix_pair();
        REQUIRE(pair);
        peer = std::move(pair->first);
        auto made =
            NetDevice::create(*guest.loop, std::make_unique<NetStream>(std::move(pair->second)), kConfig);
        REQUIRE(made);
        net = std::move(*made);
        guest.start(*net, features);
    }
    ~Rig() { guest.stop(); }

    // The guest sends `bytes` as a packet.
    void transmit(const std::string& bytes, const NetHeader& header = {}) {
        REQUIRE(guest.memory.write(kAt, &header, kHeader));
        guest.put(kAt + kHeader, bytes);
        guest.offer(NetDevice::kTx, {{kAt, kHeader}, {kAt + kHeader, static_cast<uint32_t>(bytes.size())}});
    }
    void send_raw(const std::string& bytes) {
        REQUIRE(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
        guest.settle();
    }
    static std::string framed(const std::string& bytes) {
        const uint32_t length = htobe32(static_cast<uint32_t>(bytes.size()));
        return std::string(reinterpret_cast<const char*>(&length), sizeof length) + bytes;
    }
    std::string peer_bytes() {
        std::string all;
        char bytes[65536];
        for (ssize_t count; (count = recv(peer.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) {
            all.append(bytes, static_cast<size_t>(count));
            guest.settle();
        }
        return all;
    }
    void offer_rx(uint64_t address, uint32_t size) { guest.offer(NetDevice::kRx, {{address, size, true}}); }
    NetHeader header_at(uint64_t address) {
        NetHeader header;
        REQUIRE(guest.memory.read(address, &header, sizeof header));
        return header;
    }

    GuestDevice guest;
    Fd peer;
    std::unique_ptr<NetDevice> net;
};

TEST_CASE("a packet of the guest's reaches the peer after its length") {
    Rig rig;
    rig.transmit(packet(60));
    CHECK(rig.guest.take(NetDevice::kTx)->length == 0);
    CHECK(rig.peer_bytes() == Rig::framed(packet(60)));
    CHECK(rig.net->counters().sent == 1);
}

TEST_CASE("packets that are none go back unsent") {
    Rig rig;
    SUBCASE("shorter than its header") {
        rig.guest.offer(NetDevice::kTx, {{kAt, kHeader - 1}});
    }
    SUBCASE("nothing but a header") {
        rig.guest.offer(NetDevice::kTx, {{kAt, kHeader}});
    }
    SUBCASE("shorter than Ethernet's header") {
        rig.transmit(packet(13));
    }
    SUBCASE("longer than any packet") {
        rig.guest.offer(NetDevice::kTx, {{kAt, kHeader + kMaxFrame + 1}});
    }
    SUBCASE("offloads that nobody offered") {
        rig.transmit(packet(100), {kNetNeedsCsum, 0, 0, 0, 34, 6, 0});
    }
    SUBCASE("a buffer to write to") {
        rig.guest.offer(NetDevice::kTx, {{kAt, 100, true}});
    }
    CHECK(rig.guest.take(NetDevice::kTx)->length == 0);
    CHECK(rig.peer_bytes().empty());
    CHECK(rig.net->counters().send_lost == 1);
}

TEST_CASE("a packet of the largest size passes both ways") {
    Rig rig;
    rig.transmit(packet(kMaxFrame));
    CHECK(rig.guest.take(NetDevice::kTx));
    CHECK(rig.peer_bytes() == Rig::framed(packet(kMaxFrame)));
    rig.offer_rx(kAt, kHeader + kMaxFrame);
    rig.send_raw(Rig::framed(packet(kMaxFrame, 'q')));
    CHECK(rig.guest.take(NetDevice::kRx)->length == kHeader + kMaxFrame);
    CHECK(rig.guest.get(kAt + kHeader, kMaxFrame) == packet(kMaxFrame, 'q'));
}

TEST_CASE("a packet is merged of as many buffers as it needs") {
    Rig rig;
    for (uint64_t i = 0; i < 5; ++i)
        rig.offer_rx(kAt + i * 100, 100);
    rig.send_raw(Rig::framed(packet(250)));
    CHECK(rig.guest.take(NetDevice::kRx)->length == 100);
    CHECK(rig.guest.take(NetDevice::kRx)->length == 100);
    CHECK(rig.guest.take(NetDevice::kRx)->length == 62);
    CHECK_FALSE(rig.guest.take(NetDevice::kRx));
    CHECK(rig.header_at(kAt).num_buffers == 3);
    CHECK(rig.guest.get(kAt + kHeader, 250) == packet(250));
}

TEST_CASE("a packet waits until the buffers for all of it are there") {
    Rig rig;
    rig.offer_rx(kAt, 100);
    rig.send_raw(Rig::framed(packet(150)) + Rig::framed(packet(20, 'q')));
    CHECK_FALSE(rig.guest.take(NetDevice::kRx));
    rig.offer_rx(kAt + 100, 100);
    CHECK(rig.guest.take(NetDevice::kRx)->length == 100);
    CHECK(rig.guest.take(NetDevice::kRx)->length == 62);
    rig.offer_rx(kAt + 200, 100);
    CHECK(rig.guest.take(NetDevice::kRx)->length == 32);
    CHECK(rig.guest.get(kAt + 200 + kHeader, 20) == packet(20, 'q'));
}

TEST_CASE("without merging a packet takes one buffer, or is lost") {
    Rig rig(0);
    rig.offer_rx(kAt, 100);
    rig.send_raw(Rig::framed(packet(89)) + Rig::framed(packet(88, 'q')));
    CHECK(rig.guest.take(NetDevice::kRx)->length == 100);
    CHECK(rig.guest.get(kAt + kHeader, 88) == packet(88, 'q'));
    CHECK(rig.header_at(kAt).num_buffers == 1);
    CHECK(rig.net->counters().receive_lost == 1);
}

TEST_CASE("a packet that fits no queue full of buffers is lost, and the next is not") {
    Rig rig;
    for (uint64_t i = 0; i < GuestDevice::kSize; ++i)
        rig.offer_rx(kAt + i * 16, 16);
    rig.send_raw(Rig::framed(packet(1000)) + Rig::framed(packet(20, 'q')));
    CHECK(rig.guest.take(NetDevice::kRx)->length == 16);
    CHECK(rig.guest.take(NetDevice::kRx)->length == 16);
    CHECK_FALSE(rig.guest.take(NetDevice::kRx));
    CHECK(rig.net->counters().receive_lost == 1);
    CHECK(rig.net->counters().received == 1);
}

TEST_CASE("buffers that may not be written hold no packet, and no turn is spent on them for ever") {
    Rig rig;
    for (int i = 0; i < GuestDevice::kSize; ++i)
        rig.guest.offer(NetDevice::kRx, {{kAt, 2000}});
    rig.send_raw(Rig::framed(packet(20)));
    CHECK_FALSE(rig.guest.take(NetDevice::kRx));
    CHECK(rig.net->counters().receive_lost == 1);
}

TEST_CASE("a peer that does not read holds the guest's packets up, none is lost, and the order stays") {
    Rig rig;
    std::string expected;
    size_t sent = 0;
    for (; rig.guest.drivers[NetDevice::kTx].free_descriptors() >= 2; ++sent) {
        const std::string bytes = packet(20000, static_cast<char>('a' + sent % 26));
        const uint64_t address = kAt + (sent % GuestDevice::kSize) * 0x8000;
        const NetHeader header{};
        REQUIRE(rig.guest.memory.write(address, &header, kHeader));
        rig.guest.put(address + kHeader, bytes);
        rig.guest.offer(NetDevice::kTx, {{address, kHeader}, {address + kHeader, 20000}});
        expected += Rig::framed(bytes);
        while (rig.guest.drivers[NetDevice::kTx].take_used()) {
        }
        REQUIRE(sent < 1000); // a queue that is full by then
    }
    CHECK(rig.net->counters().send_lost == 0);
    CHECK(rig.net->counters().sent < sent);
    std::string all;
    while (all.size() < expected.size()) {
        const std::string more = rig.peer_bytes();
        REQUIRE(!more.empty());
        all += more;
        rig.guest.settle();
    }
    CHECK(all == expected);
}

TEST_CASE("a packet that comes in pieces is one packet") {
    Rig rig;
    rig.offer_rx(kAt, 2000);
    const std::string bytes = Rig::framed(packet(100));
    for (const char byte : bytes.substr(0, 60))
        rig.send_raw(std::string(1, byte));
    CHECK_FALSE(rig.guest.take(NetDevice::kRx));
    rig.send_raw(bytes.substr(60));
    CHECK(rig.guest.take(NetDevice::kRx)->length == kHeader + 100);
}

TEST_CASE("a stream that is none of packets, or that ends, takes the link down") {
    Rig rig;
    CHECK(rig.guest.config<uint16_t>(6) == 1);
    SUBCASE("a length of nothing") {
        rig.send_raw(std::string(4, '\0'));
    }
    SUBCASE("a length of 4 GiB") {
        rig.send_raw(std::string(4, '\xff'));
    }
    SUBCASE("one more than the longest packet") {
        rig.send_raw(Rig::framed(packet(kMaxFrame + 1)).substr(0, 4));
    }
    SUBCASE("its end") {
        rig.peer.reset();
        rig.guest.settle();
    }
    CHECK(rig.guest.config<uint16_t>(6) == 0);
    CHECK(rig.guest.config_changes == 1);
    rig.transmit(packet(60));
    CHECK(rig.guest.take(NetDevice::kTx));
    CHECK(rig.net->counters().send_lost == 1);
}

TEST_CASE("the driver sees address, MTU and link, and zeroes behind them") {
    Rig rig;
    CHECK(rig.guest.config<std::array<uint8_t, 6>>(0) == kConfig.mac);
    CHECK(rig.guest.config<uint16_t>(10) == 1400);
    CHECK(rig.guest.config<uint64_t>(12) == 0);
    CHECK(rig.guest.config<uint64_t>(UINT32_MAX) == 0);
    CHECK((rig.net->device_features() & kNetCsum) == 0);
}

TEST_CASE("with the cable out, packets are lost both ways; put in again, they pass") {
    Rig rig;
    rig.offer_rx(kAt + 0x1000, 2000);
    rig.net->set_link(false);
    CHECK(rig.guest.config<uint16_t>(6) == 0);
    rig.transmit(packet(60));
    CHECK(rig.guest.take(NetDevice::kTx));
    rig.send_raw(Rig::framed(packet(60)));
    CHECK_FALSE(rig.guest.take(NetDevice::kRx));
    CHECK(rig.peer_bytes().empty());
    rig.net->set_link(true);
    CHECK(rig.guest.config_changes == 2);
    rig.send_raw(Rig::framed(packet(70)));
    CHECK(rig.guest.take(NetDevice::kRx)->length == kHeader + 70);
}

TEST_CASE("what cannot be a network device is refused") {
    auto loop = std::move(*EventLoop::create());
    const auto create = [&](NetDevice::Config config) {
        return NetDevice::create(*loop, std::make_unique<NetStream>(Fd()), config).error().code;
    };
    CHECK(create({{1, 0, 0x5e, 0, 0, 1}, 1500}) == EINVAL);
    CHECK(create({kConfig.mac, 67}) == EINVAL);
}

} // namespace
} // namespace hrun::virtio
