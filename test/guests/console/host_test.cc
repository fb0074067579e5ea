// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/console.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "harness.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

TEST_CASE("a terminal goes both ways, has a size that changes, and waits for a host that is full" *
          doctest::skip(!kvm_usable())) {
    constexpr size_t kLot = 256 * 1024;
    GuestRun run("console");
    std::string output;
    size_t room = SIZE_MAX;
    auto console = std::make_unique<virtio::ConsoleDevice>(
        run.loop(), virtio::ConsoleDevice::Host{[&](std::span<const char> bytes) {
            const size_t count = std::min(bytes.size(), room);
            output.append(bytes.data(), count);
            room -= count;
            return count;
        }});
    console->resize(80, 24);
    virtio::ConsoleDevice& device = run.add(0, std::move(console));
    run.start();
    CHECK(device.receive(std::string("hello, guest\n")) == 13);
    run.until([&] { return output.size() == 14; });
    CHECK(output == "!hello, guest\n");
    room = 1000;
    CHECK(device.receive(std::string(".")) == 1);
    device.resize(132, 50);
    while (output.size() < 14 + 1 + kLot) { // take a little at a time
        run.until([&] { return room == 0 || output.size() == 14 + 1 + kLot; });
        room = 50000;
        device.output_ready();
    }
    run.expect_ok();
    CHECK(std::count(output.begin(), output.end(), 'x') == kLot);
}
