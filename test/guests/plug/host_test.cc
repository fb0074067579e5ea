// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <doctest/doctest.h>

#include <string>

#include "devices/virtio/console.h"
#include "devices/virtio/rng.h"
#include "harness.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

namespace {

constexpr uint32_t kSlot = 5;
constexpr int kRounds = 8;

size_t open_descriptors() {
    size_t count = 0;
    DIR* const directory = opendir("/proc/self/fd");
    while (readdir(directory))
        ++count;
    closedir(directory);
    return count;
}

std::unique_ptr<virtio::ConsoleDevice> make_console(GuestRun& run, std::string& output) {
    return std::make_unique<virtio::ConsoleDevice>(
        run.loop(), virtio::ConsoleDevice::Host{[&output](std::span<const char> bytes) {
            output.append(bytes.data(), bytes.size());
            return bytes.size();
        }});
}

} // namespace

TEST_CASE("a device comes into an empty slot of a guest that runs, works, and goes, again and again" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("plug");
    run.config.vcpus = 2;
    run.config.spare_slots = {3, kSlot, 22};
    run.add(0, std::make_unique<virtio::RngDevice>(run.loop()));
    run.start();
    std::string output, expected;
    size_t descriptors = 0;
    for (int round = 0; round < kRounds; ++round) {
        run.until_console("empty " + std::to_string(round));
        auto console = make_console(run, output);
        virtio::ConsoleDevice& device = *console;
        REQUIRE(run.machine().plug({kSlot, std::move(console)}));
        expected += static_cast<char>('a' + round);
        CHECK(device.receive(std::string(1, expected.back())) == 1);
        run.until_console("echoed " + std::to_string(round));
        REQUIRE(run.machine().unplug(kSlot));
        if (round == 0)
            descriptors = open_descriptors();
    }
    CHECK(open_descriptors() == descriptors);
    run.expect_ok();
    CHECK(output == expected);
}

TEST_CASE("only slots that the kernel was told of, and that are empty, take a device" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("hello");
    run.config.spare_slots = {kSlot};
    run.add(0, std::make_unique<virtio::RngDevice>(run.loop()));
    run.built = [&](vmm::Machine& machine) {
        const auto plug = [&](uint32_t slot) {
            return machine.plug({slot, std::make_unique<virtio::RngDevice>(run.loop())});
        };
        CHECK(plug(1).error().code == EINVAL);
        CHECK(plug(0).error().code == EEXIST);
        CHECK(plug(kSlot));
        CHECK(plug(kSlot).error().code == EEXIST);
        CHECK(machine.unplug(kSlot));
        CHECK(machine.unplug(kSlot));
        CHECK(machine.unplug(0));
        CHECK(plug(0));
        return Result<void>();
    };
    run.start();
    run.destroy();
}

TEST_CASE("a slot is spare or has a device, and there is each once" * doctest::skip(!kvm_usable())) {
    const std::vector<std::vector<uint32_t>> impossible = {{0}, {7, 7}, {23}};
    for (const std::vector<uint32_t>& slots : impossible) {
        auto system = kvm::System::open();
        auto loop = EventLoop::create();
        REQUIRE((system && loop));
        const vmm::CpuidTable cpuid;
        std::vector<vmm::SlotDevice> devices;
        devices.push_back({0, std::make_unique<virtio::RngDevice>(**loop)});
        vmm::Config config;
        config.spare_slots = slots;
        auto built = vmm::Builder(*system, cpuid, **loop).build(config, std::move(devices));
        REQUIRE_FALSE(built);
        CHECK(built.error().code == EINVAL);
    }
}
