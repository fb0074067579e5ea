// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/rng.h"

#include <doctest/doctest.h>

#include "devices/guest_device.h"

namespace hrun::virtio {
namespace {

using test::GuestDevice;
constexpr uint64_t kAt = GuestDevice::kBuffers;

TEST_CASE("a buffer comes back full of random bytes, two are not alike") {
    GuestDevice guest;
    RngDevice rng(*guest.loop);
    guest.start(rng, 0);
    guest.offer(0, {{kAt, 40, true}, {kAt + 100, 24, true}});
    CHECK(guest.take(0)->length == 64);
    const std::string first = guest.get(kAt, 40), second = guest.get(kAt + 100, 24);
    CHECK(first.substr(0, 24) != second);
    CHECK(first != std::string(40, '\0'));
    CHECK(guest.get(kAt + 40, 60) == std::string(60, '\0'));
    CHECK(guest.interrupts == 1);
}

TEST_CASE("a large buffer gets a bounded number of random bytes") {
    GuestDevice guest;
    RngDevice rng(*guest.loop);
    guest.start(rng, 0);
    guest.offer(0, {{kAt, 1 << 20, true}});
    CHECK(guest.take(0)->length == RngDevice::kMaxBytes);
    CHECK(guest.get(kAt + RngDevice::kMaxBytes, 16) == std::string(16, '\0'));
}

TEST_CASE("a buffer that may not be written comes back as it was") {
    GuestDevice guest;
    RngDevice rng(*guest.loop);
    guest.start(rng, 0);
    guest.offer(0, {{kAt, 64}});
    CHECK(guest.take(0)->length == 0);
    CHECK(guest.get(kAt, 64) == std::string(64, '\0'));
}

TEST_CASE("a driver that breaks the queue is told, and gets nothing more") {
    GuestDevice guest;
    RngDevice rng(*guest.loop);
    guest.start(rng, 0);
    guest.drivers[0].descriptor(3) = {GuestDevice::kMemory, 64, kDescWrite, 0};
    guest.drivers[0].offer_head(3);
    rng.queue_notify(0);
    CHECK(guest.broken == std::vector<uint16_t>{0});
    rng.queue_notify(0);
    guest.settle();
    CHECK(guest.broken.size() == 1);
}

TEST_CASE("one turn serves a bounded number of requests, and another turn the rest") {
    GuestDevice guest;
    RngDevice rng(*guest.loop);
    guest.start(rng, 0);
    int answered = 0;
    for (int i = 0; i < 5; ++i) { // more than fit the queue at once
        for (int j = 0; j < GuestDevice::kSize; ++j)
            guest.drivers[0].offer({{kAt, 8, true}});
        rng.queue_notify(0);
        while (guest.take(0))
            ++answered;
    }
    CHECK(answered == 5 * GuestDevice::kSize);
}

} // namespace
} // namespace hrun::virtio
