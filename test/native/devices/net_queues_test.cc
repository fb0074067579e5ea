// SPDX-License-Identifier: Apache-2.0
// The network device with several pairs of queues, each over a stream socket whose other end the test holds.
#include <doctest/doctest.h>
#include <endian.h>
#include <sys/socket.h>

#include "base/unix_socket.h"
#include "devices/guest_device.h"
#include "devices/virtio/net.h"
#include "devices/virtio/net_control.h"
#include "devices/virtio/net_stream.h"

namespace hrun::virtio {
namespace {

using test::GuestDevice;
constexpr uint64_t kAt = GuestDevice::kBuffers;
constexpr uint64_t kCommand = kAt + 0x10000;
constexpr uint32_t kHeader = sizeof(NetHeader);
constexpr size_t kPairs = 3;
constexpr uint16_t kControl = 2 * kPairs;
constexpr uint64_t kAll = kNetCtrlVq | kNetMq | kNetMrgRxbuf;

std::string bytes_of(std::initializer_list<uint8_t> bytes) {
    return {bytes.begin(), bytes.end()};
}

struct Rig {
    explicit Rig(uint64_t features = kAll, size_t count = kPairs) {
        std::vector<std::unique_ptr<NetBackend>> backends;
        while (backends.size() < count) {
            auto pair = unix_pair();
            REQUIRE(pair);
            peers.push_back(std::move(pair->first));
            backends.push_back(std::make_unique<NetStream>(std::move(pair->second)));
        }
        auto made = NetDevice::create(*guest.loop, std::move(backends), {{0x52, 0x54, 0, 1, 2, 3}, 1400});
        REQUIRE(made);
        net = std::move(*made);
        guest.start(*net, features);
    }
    ~Rig() { guest.stop(); }

    // Has the host send a packet of the size by a backend; it says which by its last byte.
    void host_sends(size_t peer, uint32_t size) {
        const uint32_t length = htobe32(size);
        std::string packet(reinterpret_cast<const char*>(&length), sizeof length);
        packet += std::string(size - 1, 'p') + static_cast<char>('0' + peer);
        REQUIRE(::send(peers[peer].get(), packet.data(), packet.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(packet.size()));
        guest.settle();
    }
    void guest_sends(size_t pair) {
        guest.put(kAt, std::string(kHeader + 60, '\0'));
        guest.offer(tx(pair), {{kAt, kHeader + 60}});
        guest.settle();
    }
    size_t bytes_at(size_t peer) {
        char bytes[4096];
        const ssize_t got = recv(peers[peer].get(), bytes, sizeof bytes, MSG_DONTWAIT);
        return got < 0 ? 0 : static_cast<size_t>(got);
    }
    void offer_buffer(size_t pair) { guest.offer(rx(pair), {{kAt + 0x1000 * (pair + 1), 2048, true}}); }
    // The backend that the next packet of the pair's receive queue came by; nothing when there is none.
    std::optional<char> source_of_next(size_t pair) {
        const auto used = guest.take(rx(pair));
        if (!used)
            return std::nullopt;
        return guest.get(kAt + 0x1000 * (pair + 1) + used->length - 1, 1)[0];
    }

    // The device's answer to a command; nothing when it has written none.
    std::optional<uint8_t> command(const std::string& bytes, uint16_t queue = kControl) {
        guest.put(kCommand, bytes + "\xff");
        const auto size = static_cast<uint32_t>(bytes.size());
        guest.offer(queue, {{kCommand, size}, {kCommand + size, 1, true}});
        const auto used = guest.take(queue);
        REQUIRE(used);
        return used->length == 1 ? std::optional(static_cast<uint8_t>(guest.get(kCommand + size, 1)[0]))
                                 : std::nullopt;
    }
    std::optional<uint8_t> use(uint16_t pairs, uint16_t queue = kControl) {
        return command(bytes_of({4, 0, static_cast<uint8_t>(pairs), static_cast<uint8_t>(pairs >> 8)}),
                       queue);
    }

    static uint16_t rx(size_t pair) { return static_cast<uint16_t>(2 * pair); }
    static uint16_t tx(size_t pair) { return static_cast<uint16_t>(2 * pair + 1); }

    GuestDevice guest;
    std::vector<Fd> peers;
    std::unique_ptr<NetDevice> net;
};

TEST_CASE("a device with one pair of queues has no other, and none for control") {
    Rig rig(kNetMrgRxbuf, 1);
    CHECK((rig.net->device_features() & (kNetCtrlVq | kNetMq)) == 0);
    CHECK(rig.net->queue_max_sizes().size() == 2);
    CHECK(rig.guest.config<uint16_t>(8) == 1);
    ByteWriter saved;
    rig.net->save(saved);
    CHECK(saved.bytes().empty());
}

TEST_CASE("a device with several pairs says how many, and uses the first until it is told otherwise") {
    Rig rig;
    CHECK((rig.net->device_features() & (kNetCtrlVq | kNetMq)) == (kNetCtrlVq | kNetMq));
    CHECK(rig.net->queue_max_sizes().size() == 2 * kPairs + 1);
    CHECK(rig.guest.config<uint16_t>(8) == kPairs);
    for (size_t pair = 0; pair < kPairs; ++pair)
        rig.offer_buffer(pair);
    rig.offer_buffer(0);
    rig.offer_buffer(0);
    for (size_t peer = 0; peer < kPairs; ++peer) {
        rig.host_sends(peer, 60);
        CHECK(rig.source_of_next(0) == '0' + peer);
        rig.guest_sends(peer);
        CHECK(rig.bytes_at(peer) == (peer == 0 ? 64 : 0));
    }
    CHECK_FALSE(rig.guest.take(Rig::rx(1)));
    CHECK_FALSE(rig.guest.take(Rig::tx(1)));
    CHECK(rig.net->counters().received == kPairs);
}

TEST_CASE("pairs that are taken into use have packets of their own, both ways, what waited too") {
    Rig rig;
    rig.guest_sends(1);
    CHECK(rig.use(2) == kNetOk);
    CHECK(rig.net->pairs_in_use() == 2);
    CHECK(rig.guest.take(Rig::tx(1)));
    CHECK(rig.bytes_at(1) == 64);
    for (const size_t pair : {0, 1, 0})
        rig.offer_buffer(pair);
    rig.host_sends(1, 60);
    CHECK(rig.source_of_next(1) == '1');
    rig.host_sends(2, 60); // of the pair that is not
    CHECK(rig.source_of_next(0) == '2');
    rig.host_sends(0, 60);
    CHECK(rig.source_of_next(0) == '0');
    CHECK(rig.use(3) == kNetOk);
    rig.offer_buffer(2);
    rig.host_sends(2, 60);
    CHECK(rig.source_of_next(2) == '2');
    rig.guest_sends(2);
    CHECK(rig.bytes_at(2) == 64);
    CHECK(rig.net->counters().receive_lost + rig.net->counters().send_lost == 0);
}

TEST_CASE("a queue without buffers keeps up none of the others") {
    Rig rig;
    REQUIRE(rig.use(2) == kNetOk);
    rig.host_sends(0, 60);
    rig.offer_buffer(1);
    rig.host_sends(1, 60);
    CHECK(rig.source_of_next(1) == '1');
    rig.offer_buffer(0);
    CHECK(rig.source_of_next(0) == '0');
}

TEST_CASE("none of the backends that one receive queue serves is left out, however much another has") {
    Rig rig;
    for (int i = 0; i < 200; ++i)
        rig.host_sends(0, 60);
    rig.host_sends(2, 60);
    int served = 0;
    for (std::optional<char> source; source != '2'; ++served) {
        REQUIRE(served < 200);
        rig.offer_buffer(0);
        source = rig.source_of_next(0);
        REQUIRE(source);
    }
    CHECK(served < 10);
}

TEST_CASE("pairs that are used no more take nothing along but the packet that waited for a buffer there") {
    Rig rig;
    REQUIRE(rig.use(2) == kNetOk);
    rig.host_sends(1, 60);
    rig.host_sends(1, 61);
    CHECK(rig.use(1) == kNetOk);
    CHECK(rig.net->counters().receive_lost == 1);
    rig.offer_buffer(0);
    CHECK(rig.source_of_next(0) == '1');
    rig.guest_sends(1);
    CHECK(rig.bytes_at(1) == 0);
    rig.guest_sends(0);
    CHECK(rig.bytes_at(0) == 64);
}

TEST_CASE("what is no number of pairs that there are is an error, and changes nothing") {
    Rig rig;
    REQUIRE(rig.use(2) == kNetOk);
    for (const uint16_t pairs : {0, 4, 0x100, 0x200, 0x8000, 0xffff}) {
        CAPTURE(pairs);
        CHECK(rig.use(pairs) == kNetErr);
    }
    CHECK(rig.command(bytes_of({4, 1, 1, 0})) == kNetErr);             // another command of the class
    CHECK(rig.command(bytes_of({0, 0, 1})) == kNetErr);                // promiscuous mode
    CHECK(rig.command(bytes_of({1, 1, 2, 0, 0, 0, 0, 9})) == kNetErr); // another MAC address
    CHECK(rig.command(bytes_of({5, 0, 1, 0})) == kNetErr);
    CHECK(rig.command(bytes_of({0xff, 0xff, 1, 0})) == kNetErr);
    CHECK(rig.command(bytes_of({4})) == kNetErr);
    CHECK(rig.command(bytes_of({4, 0})) == kNetErr);
    CHECK(rig.command(bytes_of({4, 0, 1})) == kNetErr);
    CHECK(rig.command(bytes_of({4, 0, 1, 0, 0})) == kNetErr);
    CHECK(rig.command(std::string(5000, '\4')) == kNetErr);
    CHECK(rig.net->pairs_in_use() == 2);
    CHECK(rig.guest.broken.empty());
}

TEST_CASE(
    "a command may lie in pieces, and its answer is one byte; without room for that it is not carried out") {
    Rig rig;
    rig.guest.put(kCommand, bytes_of({4, 0, 3, 0}) + std::string(16, '\xff'));
    SUBCASE("pieces") {
        rig.guest.offer(kControl,
                        {{kCommand, 1}, {kCommand + 1, 2}, {kCommand + 3, 1}, {kCommand + 4, 16, true}});
        CHECK(rig.guest.take(kControl)->length == 1);
        CHECK(rig.guest.get(kCommand + 4, 2) == bytes_of({kNetOk, 0xff}));
        CHECK(rig.net->pairs_in_use() == 3);
    }
    SUBCASE("no room") {
        rig.guest.offer(kControl, {{kCommand, 4}});
        CHECK(rig.guest.take(kControl)->length == 0);
        CHECK(rig.net->pairs_in_use() == 1);
    }
    SUBCASE("nothing asked") {
        rig.guest.offer(kControl, {{kCommand + 4, 16, true}});
        CHECK(rig.guest.take(kControl)->length == 1);
        CHECK(rig.guest.get(kCommand + 4, 1) == bytes_of({kNetErr}));
    }
}

TEST_CASE("a control queue that is broken is served no more, the others are") {
    Rig rig;
    REQUIRE(rig.use(2) == kNetOk);
    rig.guest.offer(kControl, {{GuestDevice::kMemory, 4}, {kCommand, 1, true}});
    CHECK(rig.guest.broken == std::vector<uint16_t>{kControl});
    rig.guest_sends(1);
    CHECK(rig.bytes_at(1) == 64);
    CHECK(rig.net->pairs_in_use() == 2);
}

TEST_CASE("a driver that has agreed to a control queue alone finds it behind the first pair, and can ask for "
          "nothing") {
    Rig rig(kNetCtrlVq);
    CHECK(rig.use(1, 2) == kNetErr);
    CHECK(rig.use(2, 2) == kNetErr);
    CHECK(rig.net->pairs_in_use() == 1);
    rig.guest_sends(0);
    CHECK(rig.bytes_at(0) == 64);
}

TEST_CASE("a driver that has agreed to none is not heard") {
    for (const uint64_t features : {uint64_t{0}, kNetMq}) {
        Rig rig(features);
        rig.guest.put(kCommand, bytes_of({4, 0, 2, 0, 0xff}));
        for (const uint16_t queue : {uint16_t{2}, kControl})
            rig.guest.offer(queue, {{kCommand, 4}, {kCommand + 4, 1, true}});
        CHECK_FALSE(rig.guest.take(kControl));
        CHECK(rig.net->pairs_in_use() == 1);
    }
}

TEST_CASE("a reset forgets how many pairs were in use") {
    Rig rig;
    REQUIRE(rig.use(3) == kNetOk);
    rig.guest.stop();
    CHECK(rig.net->pairs_in_use() == 1);
    rig.guest.start(*rig.net, kAll);
    CHECK(rig.net->pairs_in_use() == 1);
    CHECK(rig.use(2) == kNetOk);
}

TEST_CASE("a restored device uses as many pairs as the saved one, if there are so many") {
    Rig rig;
    REQUIRE(rig.use(2) == kNetOk);
    ByteWriter saved;
    rig.net->save(saved);
    Rig other;
    other.guest.stop();
    const auto load = [&](std::span<const std::byte> bytes) {
        ByteReader in(bytes);
        return other.net->load(in).error().code;
    };
    const auto number = [](uint16_t pairs) {
        ByteWriter out;
        out.put<uint16_t>(pairs);
        return out.take();
    };
    for (const uint16_t pairs : {0, 4, 0xffff})
        CHECK(load(number(pairs)) == EBADMSG);
    ByteReader in(saved.bytes());
    REQUIRE(other.net->load(in));
    CHECK(in.finished());
    SUBCASE("of a driver that has agreed to that") {
        other.guest.start(*other.net, kAll);
        CHECK(other.net->pairs_in_use() == 2);
        other.offer_buffer(1);
        other.host_sends(1, 60);
        CHECK(other.source_of_next(1) == '1');
    }
    SUBCASE("of one that has not") {
        other.guest.start(*other.net, kNetMrgRxbuf);
        CHECK(other.net->pairs_in_use() == 1);
    }
}

TEST_CASE("a device of no queues is none") {
    auto loop = std::move(*EventLoop::create());
    CHECK(NetDevice::create(*loop, std::vector<std::unique_ptr<NetBackend>>(), {{2, 0, 0, 0, 0, 1}, 1500})
              .error()
              .code == EINVAL);
}

} // namespace
} // namespace hrun::virtio
