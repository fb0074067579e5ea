// SPDX-License-Identifier: Apache-2.0
// The devices that virtio-mmio serves, behind vhost-user: the same classes.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "base/unix_socket.h"
#include "devices/driver_queue.h"
#include "devices/virtio/balloon.h"
#include "devices/virtio/console.h"
#include "devices/virtio/net.h"
#include "devices/virtio/net_stream.h"
#include "devices/virtio/rng.h"
#include "transport/front_end.h"

namespace hrun::vhost_user {
namespace {

using test::FrontEnd;
using virtio::test::Buffer;
using virtio::test::DriverQueue;
using virtio::test::Used;

constexpr uint64_t kAt = 0x40000;

// A driver with `count` queues behind a front end.
struct Machine {
    Machine(uint32_t count, uint64_t features, const FrontEnd::MakeDevice& make) : front(make) {
        front.send(kSetProtocolFeatures, kProtocolReplyAck | kProtocolConfig);
        front.send(kSetFeatures, features | virtio::kFeatureVersion1 | kFeatureProtocolFeatures);
        front.set_memory();
        for (uint32_t i = 0; i < count; ++i) {
            queues.emplace_back(front.memory, 0x1000u * (i + 1), 16);
            front.start_ring(i, queues[i].layout());
        }
    }
    std::optional<Used> run(uint32_t queue, const std::vector<Buffer>& buffers) {
        queues[queue].offer(buffers);
        front.kicks[queue].signal();
        front.settle();
        return queues[queue].take_used();
    }
    void put(uint64_t address, const std::string& bytes) {
        REQUIRE(front.memory.write(address, bytes.data(), bytes.size()));
    }
    std::string get(uint64_t address, size_t size) const {
        std::string bytes(size, '\0');
        REQUIRE(front.memory.read(address, bytes.data(), size));
        return bytes;
    }

    FrontEnd front;
    std::vector<DriverQueue> queues;
};

TEST_CASE("rng fills a buffer behind vhost-user") {
    Machine machine(1, 0, [](EventLoop& loop) { return std::make_unique<virtio::RngDevice>(loop); });
    CHECK(machine.run(0, {{kAt, 64, true}})->length == 64);
    CHECK(machine.get(kAt, 64) != std::string(64, '\0'));
    CHECK(machine.front.calls[0].drain());
}

TEST_CASE("a console goes both ways behind vhost-user") {
    std::string output;
    Machine machine(2, 0, [&](EventLoop& loop) {
        virtio::ConsoleDevice::Host host{[&](std::span<const char> bytes) {
            output.append(bytes.data(), bytes.size());
            return bytes.size();
        }};
        auto console = std::make_unique<virtio::ConsoleDevice>(loop, std::move(host));
        console->receive(std::string("in"));
        return console;
    });
    machine.put(kAt, "out");
    CHECK(machine.run(virtio::ConsoleDevice::kTransmit, {{kAt, 3}}));
    CHECK(output == "out");
    CHECK(machine.run(virtio::ConsoleDevice::kReceive, {{kAt, 16, true}})->length == 2);
    CHECK(machine.get(kAt, 2) == "in");
}

TEST_CASE("a balloon frees memory that another process shared") {
    Machine machine(4, 1 << 5 | 1 << 1, [](EventLoop& loop) {
        return std::make_unique<virtio::BalloonDevice>(loop, [](const virtio::BalloonStats&) {});
    });
    const auto blocks = [&] {
        struct stat st;
        REQUIRE(fstat(machine.front.memory_file.get(), &st) == 0);
        return st.st_blocks;
    };
    machine.put(0x80000, std::string(0x8000, 'u'));
    const auto before = blocks();
    const uint32_t frames[] = {0x80, 0x81, 0x100000};
    machine.put(kAt, std::string(reinterpret_cast<const char*>(frames), sizeof frames));
    CHECK(machine.run(virtio::BalloonDevice::kInflate, {{kAt, sizeof frames}}));
    CHECK(machine.run(virtio::BalloonDevice::kReporting, {{0x84000, 0x4000, true}}));
    CHECK(blocks() <= before - 6 * 8 + 8); // six pages, but for the list itself
}

TEST_CASE("packets pass both ways behind vhost-user") {
    Fd peer;
    Machine machine(2, virtio::kNetMrgRxbuf, [&](EventLoop& loop) {
        auto pair = unix_pair();
        REQUIRE(pair);
        peer = std::move(pair->first);
        auto net = virtio::NetDevice::create(
            loop, std::make_unique<virtio::NetStream>(std::move(pair->second)), {{2, 0, 0, 0, 0, 1}, 1500});
        REQUIRE(net);
        return std::move(*net);
    });
    machine.put(kAt, std::string(12, '\0') + std::string(60, 'p'));
    CHECK(machine.run(virtio::NetDevice::kTx, {{kAt, 72}}));
    const std::string framed = std::string("\0\0\0\x3c", 4) + std::string(60, 'p');
    std::string received(100, '\0');
    const ssize_t got = recv(peer.get(), received.data(), received.size(), MSG_DONTWAIT);
    CHECK(received.substr(0, static_cast<size_t>(got)) == framed);
    REQUIRE(send(peer.get(), framed.data(), framed.size(), MSG_NOSIGNAL) == 64);
    CHECK(machine.run(virtio::NetDevice::kRx, {{kAt + 0x1000, 2048, true}})->length == 72);
    CHECK(machine.get(kAt + 0x1000 + 12, 60) == std::string(60, 'p'));
}

} // namespace
} // namespace hrun::vhost_user
