// SPDX-License-Identifier: Apache-2.0
// In a network namespace of the test's own.
#include "devices/virtio/net_tap.h"

#include <net/if.h>

#include "net/own_network.h"

namespace hrun::virtio {
namespace {

using net::test::in_own_network;

TEST_CASE("a tap interface of several queues is there as long as one of them, and nobody else is given a "
          "queue of it") {
    in_own_network([] {
        auto taps = NetTap::open("tap0", 3);
        REQUIRE(taps);
        CHECK(taps->size() == 3);
        for (const size_t queues : {1u, 2u})
            CHECK(NetTap::open("tap0", queues).error().code != 0);
        CHECK(NetTap::open("tap0", 2).error().code == EBUSY);
        taps->resize(1);
        CHECK(if_nametoindex("tap0") != 0);
        CHECK(NetTap::open("tap0", 2).error().code == EBUSY);
        taps->clear();
        CHECK(if_nametoindex("tap0") == 0);
        CHECK(NetTap::open("tap0", 2));
    });
}

TEST_CASE("one of a single queue is refused to everybody while it is open") {
    in_own_network([] {
        auto taps = NetTap::open("tap0", 1);
        REQUIRE(taps);
        CHECK(taps->size() == 1);
        for (const size_t queues : {1u, 2u})
            CHECK(NetTap::open("tap0", queues).error().code == EBUSY);
        CHECK(NetTap::open("tap1", 0).error().code == EINVAL);
        CHECK(NetTap::open("a-name-that-is-too-long", 2).error().code == EINVAL);
    });
}

} // namespace
} // namespace hrun::virtio
