// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/queue.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "devices/driver_queue.h"
#include "devices/test_memory.h"
#include "devices/virtio/features.h"

namespace hrun::virtio {
namespace {

using test::DriverQueue;
using Pop = Virtqueue::Pop;

constexpr uint64_t kBuffers = 0x10000;

struct Rig {
    explicit Rig(uint64_t features = 0, uint16_t size = 8) : queue(size) {
        hrun::test::add_memory(memory, 0, 0x40000);
        driver.emplace(memory, 0x1000, size);
        REQUIRE(queue.start(memory, driver->layout(), features, {}));
    }

    GuestMemory memory;
    std::optional<DriverQueue> driver;
    Virtqueue queue;
    DescriptorChain chain;
};

TEST_CASE("a chain comes out with its readable buffers before its writable ones") {
    Rig rig;
    REQUIRE(rig.memory.write(kBuffers, "hello", 5));
    const uint16_t head = rig.driver->offer({{kBuffers, 3}, {kBuffers + 3, 2}, {kBuffers + 64, 16, true}});
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    CHECK(rig.chain.head == head);
    CHECK(rig.chain.readable_bytes == 5);
    CHECK(rig.chain.writable_bytes == 16);
    char text[5];
    CHECK(copy_from(rig.chain.readable, text, 5) == 5);
    CHECK(std::string(text, 5) == "hello");
    CHECK(rig.queue.pop(rig.chain) == Pop::kEmpty);
}

TEST_CASE("pushed chains are seen by the driver only after publish") {
    Rig rig;
    const uint16_t head = rig.driver->offer({{kBuffers, 16, true}});
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    CHECK(copy_to(rig.chain.writable, "abc", 3) == 3);
    rig.queue.push(rig.chain.head, 3);
    CHECK_FALSE(rig.driver->take_used());
    CHECK(rig.queue.publish());
    const auto used = rig.driver->take_used();
    REQUIRE(used);
    CHECK(used->id == head);
    CHECK(used->length == 3);
    CHECK_FALSE(rig.queue.publish());
}

TEST_CASE("indices wrap around 16 bits and the ring") {
    Rig rig(kFeatureEventIdx, 4);
    for (int i = 0; i < 70000; ++i) {
        rig.driver->offer({{kBuffers, 1}});
        REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
        rig.queue.push(rig.chain.head, 0);
        rig.queue.publish();
        REQUIRE(rig.driver->take_used());
    }
}

TEST_CASE("chains given back with unpop come again in the same order") {
    Rig rig;
    const uint16_t first = rig.driver->offer({{kBuffers, 1}});
    const uint16_t second = rig.driver->offer({{kBuffers, 1}});
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    rig.queue.unpop(2);
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    CHECK(rig.chain.head == first);
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    CHECK(rig.chain.head == second);
}

TEST_CASE("an indirect table is followed, also behind direct descriptors") {
    Rig rig(kFeatureIndirectDesc);
    const Descriptor table[2] = {{kBuffers + 16, 4, kDescNext | 0, 1}, {kBuffers + 32, 8, kDescWrite, 0}};
    REQUIRE(rig.memory.write(0x8000, table, sizeof table));
    rig.driver->descriptor(0) = {kBuffers, 2, kDescNext, 1};
    rig.driver->descriptor(1) = {0x8000, sizeof table, kDescIndirect | kDescWrite, 0};
    rig.driver->offer_head(0);
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    CHECK(rig.chain.readable_bytes == 6);
    CHECK(rig.chain.writable_bytes == 8);
}

TEST_CASE("without EVENT_IDX the driver's NO_INTERRUPT flag is honoured") {
    Rig rig;
    rig.driver->offer({{kBuffers, 1}});
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    rig.driver->avail().flags = kAvailNoInterrupt;
    rig.queue.push(rig.chain.head, 0);
    CHECK_FALSE(rig.queue.publish());
}

TEST_CASE("with EVENT_IDX an interrupt is due only when used_event is passed") {
    Rig rig(kFeatureEventIdx);
    auto round = [&] {
        rig.driver->offer({{kBuffers, 1}});
        REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
        rig.queue.push(rig.chain.head, 0);
        const bool wanted = rig.queue.publish();
        REQUIRE(rig.driver->take_used());
        return wanted;
    };
    CHECK(round()); // the first decision has nothing to compare with
    rig.driver->used_event() = 3;
    CHECK_FALSE(round());
    CHECK_FALSE(round());
    CHECK(round());
    CHECK_FALSE(round());
}

TEST_CASE("switching notifications off and on tells the driver and finds chains that came meanwhile") {
    Rig rig;
    rig.queue.disable_notifications();
    CHECK(rig.driver->used().flags == kUsedNoNotify);
    rig.driver->offer({{kBuffers, 1}});
    CHECK(rig.queue.enable_notifications());
    CHECK(rig.driver->used().flags == 0);
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    CHECK_FALSE(rig.queue.enable_notifications());
}

TEST_CASE("with EVENT_IDX the device asks to be notified of the next chain") {
    Rig rig(kFeatureEventIdx);
    rig.driver->offer({{kBuffers, 1}});
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    CHECK(rig.driver->avail_event() == 1);
    rig.queue.disable_notifications();
    rig.driver->offer({{kBuffers, 1}});
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    CHECK(rig.driver->avail_event() == 1);
    CHECK_FALSE(rig.queue.enable_notifications());
    CHECK(rig.driver->avail_event() == 2);
}

TEST_CASE("a stopped queue goes on where it was when started from its position") {
    Rig rig;
    rig.driver->offer({{kBuffers, 1}});
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    rig.queue.push(rig.chain.head, 0);
    rig.queue.publish();
    const auto position = rig.queue.stop();
    CHECK_FALSE(rig.queue.ready());
    CHECK(rig.queue.pop(rig.chain) == Pop::kEmpty);
    CHECK(position.next_avail == 1);
    CHECK(position.next_used == 1);
    const uint16_t head = rig.driver->offer({{kBuffers, 1}});
    REQUIRE(rig.queue.start(rig.memory, rig.driver->layout(), 0, position));
    REQUIRE(rig.queue.pop(rig.chain) == Pop::kChain);
    CHECK(rig.chain.head == head);
}

TEST_CASE("slice cuts a byte range out of segments") {
    char bytes[10];
    const std::vector<iovec> parts{{bytes, 4}, {bytes + 4, 6}};
    std::vector<iovec> out;
    slice(parts, 3, 4, out);
    REQUIRE(out.size() == 2);
    CHECK(out[0].iov_base == bytes + 3);
    CHECK(out[0].iov_len == 1);
    CHECK(out[1].iov_base == bytes + 4);
    CHECK(out[1].iov_len == 3);
}

TEST_CASE("a driver on another thread and the device exchange chains without losing any") {
    Rig rig(kFeatureEventIdx, 8);
    constexpr int kChains = 20000;
    std::thread driver([&] {
        int offered = 0;
        int returned = 0;
        while (returned < kChains) {
            while (offered < kChains && rig.driver->free_descriptors() > 0) {
                rig.driver->offer({{kBuffers, 1}});
                ++offered;
            }
            while (rig.driver->take_used())
                ++returned;
            std::this_thread::yield();
        }
    });
    int served = 0;
    while (served < kChains) {
        if (rig.queue.pop(rig.chain) != Pop::kChain) {
            std::this_thread::yield();
            continue;
        }
        rig.queue.push(rig.chain.head, 0);
        rig.queue.publish();
        ++served;
    }
    driver.join();
    CHECK(rig.queue.pop(rig.chain) == Pop::kEmpty);
}

} // namespace
} // namespace hrun::virtio
