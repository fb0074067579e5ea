// SPDX-License-Identifier: Apache-2.0
// In a network namespace of the test's own. The rates are so low, or so high, that time decides nothing.
#include "net/rate_limits.h"

#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/links.h"
#include "own_network.h"
#include "station.h"

using namespace hrun;
using namespace hrun::net;
using namespace hrun::net::test;

namespace {

constexpr int kFrames = 100;
constexpr uint64_t kHardly = 1, kAny = uint64_t{1} << 40;
constexpr size_t kFrameBytes = 1000, kBurst = 16 * 1024;

const Mac kMac{0x02, 0x42, 0xac, 0x1f, 0, 2};

struct Machine {
    explicit Machine(const Rates& rates, size_t count = 1) {
        while (queues.size() < count)
            queues.push_back(open_tap("tap0", count > 1 ? IFF_MULTI_QUEUE : 0));
        if (count > 1)
            REQUIRE(links.keep_no_packets("tap0"));
        REQUIRE(links.ensure_bridge({"hrun0", {*parse_address("172.31.0.1/16")}, 1500}));
        REQUIRE(links.connect("tap0", {"hrun0", {kMac, {*parse_address("172.31.0.2/16")}}, 1500, rates}));
        index = (*links.find("tap0"))->index;
    }

    // Of the frames that the machine sends, by its queues in turn, how many the bridge got.
    uint64_t sent() const {
        const std::string packet = frame(kMac, 0x0800, {172, 31, 0, 2});
        const uint64_t before = received("hrun0");
        for (size_t i = 0; i < kFrames; ++i)
            CHECK(write(queues[i % queues.size()].get(), packet.data(), packet.size()) ==
                  static_cast<ssize_t>(packet.size()));
        return received("hrun0") - before;
    }

    // Of the frames that are sent to the machine, how many are there for it at once.
    int got() const {
        const Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
        sockaddr_ll to{};
        to.sll_family = AF_PACKET;
        to.sll_ifindex = index;
        const std::string packet(kFrameBytes, 'x');
        for (int i = 0; i < kFrames; ++i)
            sendto(socket.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                   sizeof to);
        int count = 0;
        char buffer[2048];
        for (const Fd& queue : queues)
            for (ssize_t size; (size = read(queue.get(), buffer, sizeof buffer)) > 0;)
                count += size > static_cast<ssize_t>(kFrameBytes); // behind its header; no others are as long
        return count;
    }

    Links links = std::move(*Links::open());
    std::vector<Fd> queues;
    int index;
};

constexpr int kAtOnce = static_cast<int>(kBurst / kFrameBytes);

} // namespace

TEST_CASE("a port without rates lets everything through, both ways") {
    in_own_network([] {
        const Machine machine({});
        CHECK(machine.sent() == kFrames);
        CHECK(machine.got() == kFrames);
    });
}

TEST_CASE("what a machine sends beyond its rate is dropped, and nothing else is limited by that") {
    in_own_network([] {
        const Machine machine({0, kHardly});
        CHECK(machine.sent() == 1);
        CHECK(machine.sent() == 0);
        CHECK(machine.got() == kFrames);
    });
}

TEST_CASE("what goes to a machine beyond its rate waits, and nothing else is limited by that") {
    in_own_network([] {
        const Machine machine({kHardly, 0});
        CHECK(machine.sent() == kFrames);
        const int got = machine.got();
        CHECK(got > 0);
        CHECK(got <= kAtOnce);
    });
}

TEST_CASE("a rate above what comes lets everything through") {
    in_own_network([] {
        const Machine machine({kAny, kAny});
        CHECK(machine.sent() == kFrames);
        CHECK(machine.got() == kFrames);
    });
}

TEST_CASE("a rate is that of all queues of a port together") {
    in_own_network([] {
        Machine machine({kHardly, kHardly}, 3);
        CHECK(machine.sent() == 1);
        CHECK(machine.got() <= kAtOnce);
        REQUIRE(machine.links.limit("tap0", {}));
        CHECK(machine.sent() == kFrames);
        machine.got(); // and what waited
        CHECK(machine.got() == kFrames);
    });
}

TEST_CASE("rates of a port can be changed, and taken away") {
    in_own_network([] {
        Machine machine({kHardly, kHardly});
        CHECK(machine.sent() == 1);
        for (const Rates& rates : {Rates{kAny, kAny}, Rates{}, Rates{}}) {
            REQUIRE(machine.links.limit("tap0", rates));
            CHECK(machine.sent() == kFrames);
            machine.got(); // and what waited
            CHECK(machine.got() == kFrames);
        }
        REQUIRE(machine.links.limit("tap0", {kHardly, kHardly}));
        CHECK(machine.sent() == 1);
        CHECK(machine.got() <= kAtOnce);
    });
}

TEST_CASE("the source filter holds behind a rate") {
    in_own_network([] {
        const Machine machine({0, kAny});
        const std::string packet = frame(kMac, 0x0800, {172, 31, 0, 3});
        const uint64_t before = received("hrun0");
        CHECK(write(machine.queues[0].get(), packet.data(), packet.size()) > 0);
        CHECK(received("hrun0") == before);
    });
}
