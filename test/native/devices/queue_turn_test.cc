// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/queue_turn.h"

#include <doctest/doctest.h>

#include "devices/guest_device.h"
#include "devices/virtio/rng.h"

namespace hrun::virtio {
namespace {

using test::GuestDevice;
constexpr uint64_t kAt = GuestDevice::kBuffers;

// Queues of a device that never looks at them itself.
struct Rig {
    explicit Rig(uint64_t features = 0) {
        guest.start(rng, features);
        activation = {&guest.memory, guest.queues, &guest, features};
    }
    void offer(int count) {
        for (int i = 0; i < count; ++i)
            guest.drivers[0].offer({{kAt, 16, true}});
    }
    Turn turn(int limit, uint16_t queue = 0) {
        return take_turn(activation, queue, limit, chain, [this](const DescriptorChain& got) {
            ++handled;
            return room-- > 0 ? std::optional<uint32_t>(got.writable_bytes) : std::nullopt;
        });
    }
    bool driver_may_sleep() { return guest.drivers[0].used().flags & kUsedNoNotify; }

    GuestDevice guest;
    RngDevice rng{*guest.loop};
    Activation activation{};
    DescriptorChain chain;
    int handled = 0;
    int room = 1000;
};

TEST_CASE("a turn serves all there is, and asks for a notification of more") {
    Rig rig;
    rig.offer(3);
    CHECK(rig.turn(8) == Turn::kDone);
    CHECK(rig.handled == 3);
    CHECK_FALSE(rig.driver_may_sleep());
    CHECK(rig.guest.interrupts == 1);
    CHECK(rig.guest.take(0)->length == 16);
}

TEST_CASE("a turn ends at its limit, and another is due without a notification") {
    Rig rig;
    rig.offer(5);
    CHECK(rig.turn(3) == Turn::kMore);
    CHECK(rig.handled == 3);
    CHECK(rig.driver_may_sleep());
    CHECK(rig.turn(3) == Turn::kDone);
    CHECK(rig.handled == 5);
}

TEST_CASE("a chain that must wait stays the first, and those before it are returned") {
    Rig rig;
    rig.offer(3);
    rig.room = 1;
    CHECK(rig.turn(8) == Turn::kHeld);
    CHECK(rig.handled == 2);
    CHECK(rig.driver_may_sleep());
    CHECK(rig.guest.take(0));
    CHECK_FALSE(rig.guest.take(0));
    rig.room = 2;
    CHECK(rig.turn(8) == Turn::kDone);
    CHECK(rig.handled == 4);
    CHECK(rig.guest.take(0));
    CHECK(rig.guest.take(0));
}

TEST_CASE("with EVENT_IDX the driver is asked for the chain after the last") {
    Rig rig(kFeatureEventIdx);
    rig.offer(2);
    rig.guest.drivers[0].used_event() = 1; // interrupt at the second, not before
    CHECK(rig.turn(8) == Turn::kDone);
    CHECK(rig.guest.drivers[0].avail_event() == 2);
    CHECK(rig.guest.interrupts == 1);
    rig.offer(1);
    CHECK(rig.turn(8) == Turn::kDone);
    CHECK(rig.guest.interrupts == 1); // the event has passed
}

TEST_CASE("a queue that is broken, not started or not there is served no more") {
    Rig rig;
    CHECK(rig.turn(8, 7) == Turn::kDone);
    rig.guest.drivers[0].set_avail_index(1000);
    CHECK(rig.turn(8) == Turn::kDone);
    CHECK(rig.turn(8) == Turn::kDone);
    CHECK(rig.guest.broken == std::vector<uint16_t>{0});
    (void)rig.guest.queues[0].stop();
    CHECK(rig.turn(8) == Turn::kDone);
    CHECK(rig.handled == 0);
}

} // namespace
} // namespace hrun::virtio
