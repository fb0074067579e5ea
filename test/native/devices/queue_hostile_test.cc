// SPDX-License-Identifier: Apache-2.0
// What a driver may do to a queue to break the device. Each case ends with a broken queue and nothing else.
#include <doctest/doctest.h>

#include <optional>

#include "devices/driver_queue.h"
#include "devices/test_memory.h"
#include "devices/virtio/features.h"
#include "devices/virtio/queue.h"

namespace hrun::virtio {
namespace {

using test::DriverQueue;
using Pop = Virtqueue::Pop;

constexpr uint64_t kMemory = 0x40000;
constexpr uint64_t kTable = 0x8000;
constexpr uint64_t kBuffers = 0x10000;
constexpr uint16_t kSize = 8;

struct HostileRig {
    explicit HostileRig(uint64_t features = kFeatureIndirectDesc) {
        hrun::test::add_memory(memory, 0, kMemory);
        driver.emplace(memory, 0x1000, kSize);
        REQUIRE(queue.start(memory, driver->layout(), features, {}));
    }

    // Offers descriptor 0 and expects the queue to break on it, once.
    void breaks() {
        driver->offer_head(0);
        CHECK(queue.pop(chain) == Pop::kBroken);
        CHECK(queue.broken());
        CHECK_FALSE(queue.ready());
        CHECK(queue.pop(chain) == Pop::kEmpty);
        queue.push(0, 0);
        CHECK_FALSE(queue.publish());
    }
    void indirect(const std::vector<Descriptor>& table) {
        REQUIRE(memory.write(kTable, table.data(), table.size() * sizeof(Descriptor)));
        driver->descriptor(0) = {kTable, static_cast<uint32_t>(table.size() * sizeof(Descriptor)),
                                 kDescIndirect, 0};
    }

    GuestMemory memory;
    std::optional<DriverQueue> driver;
    Virtqueue queue{kSize};
    DescriptorChain chain;
};

TEST_CASE("a chain that loops breaks the queue") {
    HostileRig rig;
    rig.driver->descriptor(0) = {kBuffers, 1, kDescNext, 1};
    rig.driver->descriptor(1) = {kBuffers, 1, kDescNext, 0};
    rig.breaks();
}

TEST_CASE("a descriptor that names itself next breaks the queue") {
    HostileRig rig;
    rig.driver->descriptor(0) = {kBuffers, 1, kDescNext, 0};
    rig.breaks();
}

TEST_CASE("a head outside the table breaks the queue") {
    HostileRig rig;
    rig.driver->offer_head(kSize);
    CHECK(rig.queue.pop(rig.chain) == Pop::kBroken);
}

TEST_CASE("a next outside the table breaks the queue") {
    HostileRig rig;
    rig.driver->descriptor(0) = {kBuffers, 1, kDescNext, 0xffff};
    rig.breaks();
}

TEST_CASE("an available index further ahead than the ring is long breaks the queue") {
    HostileRig rig;
    rig.driver->set_avail_index(kSize + 1);
    CHECK(rig.queue.pop(rig.chain) == Pop::kBroken);
}

TEST_CASE("a buffer outside memory breaks the queue") {
    HostileRig rig;
    SUBCASE("beyond the end") {
        rig.driver->descriptor(0) = {kMemory, 1, 0, 0};
    }
    SUBCASE("over the end") {
        rig.driver->descriptor(0) = {kMemory - 1, 2, 0, 0};
    }
    SUBCASE("wrapping the address space") {
        rig.driver->descriptor(0) = {UINT64_MAX - 1, 16, 0, 0};
    }
    SUBCASE("4 GiB long") {
        rig.driver->descriptor(0) = {kBuffers, UINT32_MAX, 0, 0};
    }
    rig.breaks();
}

TEST_CASE("a buffer of no bytes breaks the queue") {
    HostileRig rig;
    rig.driver->descriptor(0) = {kBuffers, 0, 0, 0};
    rig.breaks();
}

TEST_CASE("a readable buffer behind a writable one breaks the queue") {
    HostileRig rig;
    rig.driver->descriptor(0) = {kBuffers, 1, kDescNext | kDescWrite, 1};
    rig.driver->descriptor(1) = {kBuffers, 1, 0, 0};
    rig.breaks();
}

TEST_CASE("buffers that overlap are the driver's own affair") {
    HostileRig rig;
    rig.driver->descriptor(0) = {kBuffers, 64, kDescNext, 1};
    rig.driver->descriptor(1) = {kBuffers + 8, 64, kDescWrite, 0};
    rig.driver->offer_head(0);
    CHECK(rig.queue.pop(rig.chain) == Pop::kChain);
}

TEST_CASE("misuse of indirect descriptors breaks the queue") {
    HostileRig rig;
    SUBCASE("INDIRECT with NEXT") {
        rig.indirect({{kBuffers, 1, 0, 0}});
        rig.driver->descriptor(0).flags = kDescIndirect | kDescNext;
    }
    SUBCASE("a table in a table") {
        rig.indirect({{kTable, 16, kDescIndirect, 0}});
    }
    SUBCASE("an empty table") {
        rig.driver->descriptor(0) = {kTable, 0, kDescIndirect, 0};
    }
    SUBCASE("a table of half a descriptor") {
        rig.driver->descriptor(0) = {kTable, 24, kDescIndirect, 0};
    }
    SUBCASE("a table of 256 MiB") {
        rig.driver->descriptor(0) = {kTable, 1u << 28, kDescIndirect, 0};
    }
    SUBCASE("a table outside memory") {
        rig.driver->descriptor(0) = {kMemory, 16, kDescIndirect, 0};
    }
    SUBCASE("a table that wraps the address space") {
        rig.driver->descriptor(0) = {UINT64_MAX - 15, 32, kDescIndirect, 0};
    }
    SUBCASE("a loop in the table") {
        rig.indirect({{kBuffers, 1, kDescNext, 1}, {kBuffers, 1, kDescNext, 0}});
    }
    SUBCASE("a next outside the table") {
        rig.indirect({{kBuffers, 1, kDescNext, 1}});
    }
    rig.breaks();
}

TEST_CASE("an indirect descriptor breaks the queue when the feature was not negotiated") {
    HostileRig rig(0);
    rig.indirect({{kBuffers, 1, 0, 0}});
    rig.breaks();
}

TEST_CASE("a chain of more than 4 GiB in all breaks the queue") {
    GuestMemory memory;
    constexpr uint64_t kLarge = 1ull << 31;
    hrun::test::add_memory(memory, 0, kLarge); // sparse: nothing of it is touched but the rings
    DriverQueue driver(memory, 0x1000, kSize);
    Virtqueue queue(kSize);
    REQUIRE(queue.start(memory, driver.layout(), 0, {}));
    driver.offer({{0, static_cast<uint32_t>(kLarge)}, {0, static_cast<uint32_t>(kLarge)}, {0, 1}});
    DescriptorChain chain;
    CHECK(queue.pop(chain) == Pop::kBroken);
}

TEST_CASE("a broken queue works again after it was started anew") {
    HostileRig rig;
    rig.driver->descriptor(0) = {kBuffers, 0, 0, 0};
    rig.breaks();
    rig.driver->descriptor(0) = {kBuffers, 1, 0, 0};
    REQUIRE(rig.queue.start(rig.memory, rig.driver->layout(), 0, {}));
    CHECK(rig.queue.pop(rig.chain) == Pop::kChain);
}

TEST_CASE("a layout that cannot be is refused") {
    HostileRig rig;
    auto layout = rig.driver->layout();
    SUBCASE("size zero") {
        layout.size = 0;
    }
    SUBCASE("size not a power of two") {
        layout.size = 6;
    }
    SUBCASE("size over the maximum") {
        layout.size = 2 * kSize;
    }
    SUBCASE("descriptor table unaligned") {
        layout.descriptor_table += 8;
    }
    SUBCASE("available ring unaligned") {
        layout.driver_area += 1;
    }
    SUBCASE("used ring unaligned") {
        layout.device_area += 2;
    }
    SUBCASE("descriptor table over the end of memory") {
        layout.descriptor_table = kMemory - 16;
    }
    SUBCASE("available ring outside memory") {
        layout.driver_area = kMemory;
    }
    SUBCASE("used ring at the end of the address space") {
        layout.device_area = UINT64_MAX - 3;
    }
    CHECK(rig.queue.start(rig.memory, layout, 0, {}).error().code == EINVAL);
    CHECK_FALSE(rig.queue.ready());
}

} // namespace
} // namespace hrun::virtio
