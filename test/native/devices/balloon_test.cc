// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/balloon.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <algorithm>

#include "devices/guest_device.h"

namespace hrun::virtio {
namespace {

using test::Buffer;
using test::GuestDevice;
using Queue = BalloonDevice::Queue;
constexpr uint64_t kAt = GuestDevice::kBuffers;
constexpr uint32_t kFirst = 0x200; // page frames for lending: 2 MiB and up
constexpr uint64_t kStatsFeature = 2, kReportingFeature = 32;

struct Rig {
    explicit Rig(uint64_t features = kStatsFeature | kReportingFeature) { guest.start(balloon, features); }

    // Writes to `count` frames, so that they take memory.
    void touch(uint32_t frame, uint32_t count) {
        for (uint32_t i = 0; i < count; ++i)
            guest.put((uint64_t{frame} + i) * 4096 + 7, "used");
    }
    uint32_t resident(uint32_t frame, uint32_t count) {
        std::vector<unsigned char> pages(count);
        REQUIRE(mincore(guest.memory.contiguous(uint64_t{frame} * 4096, uint64_t{count} * 4096),
                        uint64_t{count} * 4096, pages.data()) == 0);
        return static_cast<uint32_t>(
            std::count_if(pages.begin(), pages.end(), [](auto page) { return page & 1; }));
    }
    void inflate(const std::vector<uint32_t>& frames) {
        guest.put(kAt, frames);
        guest.offer(Queue::kInflate, {{kAt, static_cast<uint32_t>(frames.size() * 4)}});
        CHECK(guest.take(Queue::kInflate)->length == 0);
    }

    GuestDevice guest;
    std::vector<BalloonStats> reports;
    BalloonDevice balloon{*guest.loop, [this](const BalloonStats& stats) { reports.push_back(stats); }};
};

TEST_CASE("lent pages take no memory of the host and come back as zeroes") {
    Rig rig;
    rig.touch(kFirst, 8);
    REQUIRE(rig.resident(kFirst, 8) == 8);
    rig.inflate({kFirst + 5, kFirst + 1, kFirst + 2, kFirst + 3});
    CHECK(rig.resident(kFirst, 8) == 4);
    CHECK(rig.balloon.freed_bytes() == 4 * 4096);
    CHECK(rig.guest.get((kFirst + 1) * 4096 + 7, 4) == std::string(4, '\0'));
    CHECK(rig.guest.get(kFirst * 4096 + 7, 4) == "used");
    rig.guest.offer(Queue::kDeflate, {{kAt, 16}});
    CHECK(rig.guest.take(Queue::kDeflate)->length == 0);
}

TEST_CASE("page frames that are not memory are passed over, the others are freed") {
    Rig rig;
    rig.touch(GuestDevice::kMemory / 4096 - 2, 2);
    const uint32_t end = GuestDevice::kMemory / 4096;
    rig.inflate({end - 1, end, end + 1, UINT32_MAX, UINT32_MAX - 1, 0xd0000});
    CHECK(rig.balloon.freed_bytes() == 4096);
    CHECK(rig.resident(end - 2, 2) == 1);
}

TEST_CASE("a request of thousands of frames is done over several turns") {
    Rig rig;
    std::vector<uint32_t> frames(5000, kFirst);
    for (uint32_t i = 0; i < 400; ++i)
        frames[i * 12] = kFirst + i;
    rig.touch(kFirst, 400);
    rig.inflate(frames);
    CHECK(rig.resident(kFirst, 400) == 0);
}

TEST_CASE("a list of frames that ends in the middle of one is read up to there") {
    Rig rig;
    rig.touch(kFirst, 2);
    rig.guest.put(kAt, std::vector<uint32_t>{kFirst, kFirst + 1});
    rig.guest.offer(Queue::kInflate, {{kAt, 7}});
    CHECK(rig.guest.take(Queue::kInflate));
    CHECK(rig.resident(kFirst, 2) == 1);
}

TEST_CASE("reported free pages are freed, whole pages only") {
    Rig rig;
    rig.touch(kFirst, 8);
    rig.guest.offer(Queue::kReporting,
                    {{kFirst * 4096, 2 * 4096, true}, {(kFirst + 4) * 4096 + 1, 2 * 4096, true}});
    CHECK(rig.guest.take(Queue::kReporting)->length == 0);
    CHECK(rig.resident(kFirst, 8) == 5);
    rig.guest.offer(Queue::kReporting, {{(kFirst + 7) * 4096, 4096}}); // not writable: no free page
    CHECK(rig.guest.take(Queue::kReporting));
    CHECK(rig.resident(kFirst + 7, 1) == 1);
}

TEST_CASE("the reporting queue moves up when there are no statistics, and frees nothing unless agreed") {
    Rig rig(kReportingFeature);
    rig.touch(kFirst, 1);
    rig.guest.offer(Queue::kStats, {{kFirst * 4096, 4096, true}});
    CHECK(rig.guest.take(Queue::kStats));
    CHECK(rig.resident(kFirst, 1) == 0);
    Rig none(0);
    none.touch(kFirst, 1);
    none.guest.offer(Queue::kStats, {{kFirst * 4096, 4096, true}});
    none.guest.offer(Queue::kReporting, {{kFirst * 4096, 4096, true}});
    CHECK_FALSE(none.guest.take(Queue::kReporting));
    CHECK(none.resident(kFirst, 1) == 1);
}

TEST_CASE("statistics are read when they come, and asked for by giving the buffer back") {
    Rig rig;
    CHECK_FALSE(rig.balloon.request_stats());
    struct [[gnu::packed]] Stat {
        uint16_t tag;
        uint64_t value;
    };
    rig.guest.put(kAt, std::vector<Stat>{{4, 111}, {5, 222}, {4, 333}, {999, 1}, {6, 444}});
    rig.guest.offer(Queue::kStats, {{kAt, 5 * sizeof(Stat) - 1}}); // the last is cut short
    REQUIRE(rig.reports.size() == 1);
    CHECK(rig.reports[0].free_memory == 333);
    CHECK(rig.reports[0].total_memory == 222);
    CHECK_FALSE(rig.reports[0].available_memory);
    CHECK_FALSE(rig.guest.take(Queue::kStats));
    CHECK(rig.balloon.request_stats());
    CHECK_FALSE(rig.balloon.request_stats());
    CHECK(rig.guest.take(Queue::kStats)->length == 0);
    rig.guest.offer(Queue::kStats, {{kAt, sizeof(Stat)}});
    CHECK(rig.reports.size() == 2);
}

TEST_CASE("a driver that floods the statistics queue is read once per question") {
    Rig rig;
    for (int i = 0; i < GuestDevice::kSize; ++i)
        rig.guest.offer(Queue::kStats, {{kAt, 10}});
    rig.guest.settle();
    CHECK(rig.reports.size() == 1);
    CHECK(rig.balloon.request_stats());
    rig.guest.settle();
    CHECK(rig.reports.size() == 2);
}

TEST_CASE("the driver sees the target and tells how far it is; a reset empties the balloon") {
    Rig rig;
    rig.balloon.set_target(1000);
    CHECK(rig.guest.config_changes == 1);
    CHECK(rig.guest.config<uint32_t>(0) == 1000);
    const uint64_t value = 0x1'0000'0300;
    const auto bytes = std::as_bytes(std::span(&value, 1));
    rig.balloon.write_config(4, bytes.first(4));
    CHECK(rig.balloon.lent_pages() == 0x300);
    rig.balloon.write_config(0, bytes.first(4)); // not the driver's to write
    rig.balloon.write_config(UINT32_MAX - 1, bytes);
    CHECK(rig.balloon.target() == 1000);
    CHECK(rig.guest.config<uint32_t>(4) == 0x300);
    rig.guest.stop();
    CHECK(rig.balloon.lent_pages() == 0);
}

} // namespace
} // namespace hrun::virtio
