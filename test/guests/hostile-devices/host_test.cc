// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <endian.h>
#include <sys/socket.h>

#include "base/unix_socket.h"
#include "devices/virtio/balloon.h"
#include "devices/virtio/console.h"
#include "devices/virtio/net.h"
#include "devices/virtio/net_stream.h"
#include "devices/virtio/rng.h"
#include "harness.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

TEST_CASE("a driver that breaks the rules of each small device harms nobody else, and a reset mends it" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("hostile-devices");
    run.add(0, std::make_unique<virtio::RngDevice>(run.loop()));
    virtio::ConsoleDevice* console = nullptr;
    const std::string input(virtio::ConsoleDevice::kInputBytes, 'i');
    virtio::ConsoleDevice::Host host{[](std::span<const char> bytes) { return bytes.size(); },
                                     [&] { console->receive(input); }};
    console = &run.add(1, std::make_unique<virtio::ConsoleDevice>(run.loop(), std::move(host)));
    console->receive(input + "more"); // the rest is refused, so that there is always more to come
    run.add(2, std::make_unique<virtio::BalloonDevice>(run.loop(), [](const virtio::BalloonStats&) {}));
    const uint32_t length = htobe32(60);
    const std::string packet =
        std::string(reinterpret_cast<const char*>(&length), sizeof length) + std::string(60, 'p');
    std::vector<Fd> peers;
    std::vector<std::unique_ptr<virtio::NetBackend>> backends;
    while (backends.size() < 2) {
        auto pair = unix_pair();
        REQUIRE(pair);
        for (int i = 0; i < 200; ++i)
            REQUIRE(send(pair->first.get(), packet.data(), packet.size(), MSG_NOSIGNAL) == 64);
        peers.push_back(std::move(pair->first));
        backends.push_back(std::make_unique<virtio::NetStream>(std::move(pair->second)));
    }
    auto net = virtio::NetDevice::create(run.loop(), std::move(backends), {{2, 0, 0, 0, 0, 1}, 1500});
    REQUIRE(net);
    run.add(3, std::move(*net));
    run.start();
    run.expect_ok();
    CHECK(run.console().find("net works after 108 refusals") != std::string::npos); // nine of each queue
}
