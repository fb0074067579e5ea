// SPDX-License-Identifier: Apache-2.0
#include "transport/vhost_user.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include "devices/driver_queue.h"
#include "transport/front_end.h"

namespace hrun::vhost_user {
namespace {

using test::FrontEnd;
using virtio::VsockHeader;
using virtio::test::DriverQueue;

constexpr uint64_t kVersion1 = 1ull << 32;

void negotiate(FrontEnd& front) {
    front.send(kSetProtocolFeatures, kProtocolReplyAck | kProtocolConfig);
    front.send(kSetFeatures, kVersion1 | kFeatureProtocolFeatures);
}

TEST_CASE("features and protocol features are answered, and include what QEMU needs for vsock") {
    FrontEnd front;
    front.send(kGetFeatures, nullptr, 0);
    const auto features = front.reply<uint64_t>(kGetFeatures);
    REQUIRE(features);
    CHECK((*features & (kVersion1 | kFeatureProtocolFeatures)) == (kVersion1 | kFeatureProtocolFeatures));
    front.send(kGetProtocolFeatures, nullptr, 0);
    CHECK(front.reply<uint64_t>(kGetProtocolFeatures) == (kProtocolReplyAck | kProtocolConfig));
}

TEST_CASE("GET_CONFIG gives the guest's CID") {
    FrontEnd front;
    struct {
        uint32_t offset = 0, size = 8, flags = 0;
        uint64_t cid = 0;
    } __attribute__((packed)) config;
    front.send(kGetConfig, config);
    const auto answer = front.reply<decltype(config)>(kGetConfig);
    REQUIRE(answer);
    CHECK(uint64_t{answer->cid} == 3);
}

TEST_CASE("requests are acknowledged only when the front end asks, and can ask") {
    FrontEnd front;
    front.send(kSetOwner, nullptr, 0, {}, kFlagVersion | kFlagNeedReply);
    CHECK_FALSE(front.reply<uint64_t>(kSetOwner));
    negotiate(front);
    front.send(kSetOwner, nullptr, 0, {}, kFlagVersion | kFlagNeedReply);
    CHECK(front.reply<uint64_t>(kSetOwner) == 0);
    front.send(kSetOwner, nullptr, 0);
    CHECK_FALSE(front.reply<uint64_t>(kSetOwner));
}

TEST_CASE("a message in pieces is put together") {
    FrontEnd front;
    const Header header{kGetFeatures, kFlagVersion, 0};
    front.send_raw(&header, 5);
    front.send_raw(reinterpret_cast<const char*>(&header) + 5, sizeof header - 5);
    CHECK(front.reply<uint64_t>(kGetFeatures));
}

// A driver that reaches the vsock device through the rings that the front end set up.
struct Driver {
    explicit Driver(FrontEnd& front) : rx(front.memory, 0x1000, 16), tx(front.memory, 0x2000, 16) {
        negotiate(front);
        front.set_memory();
        front.start_ring(0, rx.layout());
        front.start_ring(1, tx.layout());
    }
    DriverQueue rx;
    DriverQueue tx;
};

void send_stray_packet(FrontEnd& front, Driver& driver) {
    const VsockHeader header{
        3, virtio::kVsockHostCid, 7, 8, 0, virtio::kVsockStream, virtio::kVsockOpRw, 0, 0, 0};
    REQUIRE(front.memory.write(0x8000, &header, sizeof header));
    driver.rx.offer({{0x9000, 4096, true}});
    driver.tx.offer({{0x8000, sizeof header}});
    front.kicks[1].signal();
    front.settle();
}

TEST_CASE("a kick makes the device work and a call tells the driver") {
    FrontEnd front;
    Driver driver(front);
    REQUIRE_FALSE(front.closed);
    send_stray_packet(front, driver);
    CHECK(driver.tx.take_used());
    CHECK(driver.rx.take_used());
    CHECK(front.calls[0].drain());
    CHECK(front.calls[1].drain());
    VsockHeader answer;
    REQUIRE(front.memory.read(0x9000, &answer, sizeof answer));
    CHECK(answer.op + 0 == virtio::kVsockOpRst);
}

TEST_CASE("GET_VRING_BASE stops a ring and tells where it was") {
    FrontEnd front;
    Driver driver(front);
    send_stray_packet(front, driver);
    front.send(kGetVringBase, VringState{1, 0});
    const auto state = front.reply<VringState>(kGetVringBase);
    REQUIRE(state);
    CHECK(state->num == 1);
    driver.tx.offer({{0x8000, sizeof(VsockHeader)}});
    front.kicks[1].signal();
    front.settle();
    CHECK(driver.tx.take_used()); // the first packet's
    CHECK_FALSE(driver.tx.take_used());
}

TEST_CASE("a ring that is not enabled does nothing") {
    FrontEnd front;
    Driver driver(front);
    front.send(kSetVringEnable, VringState{1, 0});
    send_stray_packet(front, driver);
    CHECK_FALSE(driver.tx.take_used());
    front.send(kSetVringEnable, VringState{1, 1});
    CHECK(driver.tx.take_used());
}

TEST_CASE("a new memory table moves running rings over") {
    FrontEnd front;
    Driver driver(front);
    front.set_memory();
    send_stray_packet(front, driver);
    CHECK(driver.tx.take_used());
}

TEST_CASE("the end of the front end takes the device down") {
    FrontEnd front;
    Driver driver(front);
    front.socket.reset();
    front.settle();
    REQUIRE(front.closed);
    CHECK(front.closed->code == ECONNRESET);
}

TEST_CASE("guest memory that could still shrink is refused") {
    FrontEnd front;
    negotiate(front);
    front.memory_file.reset(memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(ftruncate(front.memory_file.get(), FrontEnd::kMemory) == 0);
    front.set_memory();
    REQUIRE(front.closed);
    CHECK(front.closed->code == EPERM);
}

TEST_CASE("a message that breaks the protocol closes the connection") {
    FrontEnd front;
    negotiate(front);
    auto event = EventFd::create();
    REQUIRE(event);
    const int event_fd = event->get();
    SUBCASE("an unknown request") {
        front.send(99, nullptr, 0);
    }
    SUBCASE("another version") {
        front.send(kSetOwner, nullptr, 0, {}, 2);
    }
    SUBCASE("a reply out of nowhere") {
        front.send(kSetOwner, nullptr, 0, {}, kFlagVersion | kFlagReply);
    }
    SUBCASE("a payload longer than any message has") {
        const Header header{kSetConfig, kFlagVersion, UINT32_MAX};
        front.send_raw(&header, sizeof header);
    }
    SUBCASE("features that were not offered") {
        front.send(kSetFeatures, UINT64_MAX);
    }
    SUBCASE("a payload too short") {
        front.send(kSetVringNum, uint32_t{0});
    }
    SUBCASE("a queue that is not there") {
        front.send(kSetVringNum, VringState{3, 16});
    }
    SUBCASE("a queue size beyond 16 bits") {
        front.send(kSetVringNum, VringState{0, 65536});
    }
    SUBCASE("a kick without a descriptor") {
        front.send(kSetVringKick, uint64_t{0});
    }
    SUBCASE("a kick that says it has none") {
        front.send(kSetVringKick, kVringNoFd);
    }
    SUBCASE("a call with two descriptors") {
        front.send(kSetVringCall, uint64_t{0}, {event_fd, event_fd});
    }
    SUBCASE("more descriptors than any message has") {
        front.send(kSetMemTable, uint64_t{9}, std::vector<int>(9, front.memory_file.get()));
    }
    SUBCASE("a memory table without its descriptors") {
        struct {
            uint32_t count = 1, padding = 0;
            MemoryRegion region{0, FrontEnd::kMemory, FrontEnd::kUser, 0};
        } table;
        front.send(kSetMemTable, table);
    }
    SUBCASE("a memory region past the end of its file") {
        struct {
            uint32_t count = 1, padding = 0;
            MemoryRegion region{0, FrontEnd::kMemory, FrontEnd::kUser, 4096};
        } table;
        front.send(kSetMemTable, table, {front.memory_file.get()});
    }
    SUBCASE("a memory region of no bytes") {
        struct {
            uint32_t count = 1, padding = 0;
            MemoryRegion region{0, 0, FrontEnd::kUser, 0};
        } table;
        front.send(kSetMemTable, table, {front.memory_file.get()});
    }
    SUBCASE("regions that overlap") {
        struct {
            uint32_t count = 2, padding = 0;
            MemoryRegion regions[2] = {{0, FrontEnd::kMemory, FrontEnd::kUser, 0},
                                       {4096, FrontEnd::kMemory, FrontEnd::kUser, 0}};
        } table;
        front.send(kSetMemTable, table, {front.memory_file.get(), front.memory_file.get()});
    }
    SUBCASE("a ring outside memory") {
        front.set_memory();
        front.start_ring(0, {16, FrontEnd::kMemory, 0x1000, 0x2000});
    }
    SUBCASE("a ring without memory") {
        front.start_ring(0, {16, 0, 0x1000, 0x2000});
    }
    SUBCASE("a configuration longer than the message") {
        struct {
            uint32_t offset = 0, size = 64, flags = 0;
            uint64_t data = 0;
        } __attribute__((packed)) config;
        front.send(kGetConfig, config);
    }
    REQUIRE(front.closed);
    CHECK(front.closed->code != ECONNRESET);
}

} // namespace
} // namespace hrun::vhost_user
