// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <array>
#include <thread>

#include "harness.h"

using hrun::test::GuestRun;
using hrun::test::kvm_usable;

namespace {

using Counters = std::array<uint64_t, 2>;

Counters counters(GuestRun& run) {
    Counters values;
    REQUIRE(run.machine().memory().guest.read(0x80000, values.data(), sizeof values));
    return values;
}

void until_both_count(GuestRun& run) {
    const Counters before = counters(run);
    run.until([&] {
        const Counters now = counters(run);
        return now[0] > before[0] && now[1] > before[1];
    });
}

} // namespace

TEST_CASE("a paused machine stands still, can be read, and goes on" * doctest::skip(!kvm_usable())) {
    GuestRun run("pause");
    run.config.vcpus = 2;
    run.start();
    run.until_console("counting");
    for (int round = 0; round < 20; ++round) {
        until_both_count(run);
        REQUIRE(run.machine().pause());
        const Counters stopped = counters(run);
        const auto registers = run.machine().vcpu(0).registers();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        CHECK(counters(run) == stopped);
        REQUIRE(registers);
        CHECK(run.machine().pause());
        REQUIRE(run.machine().resume());
        CHECK(run.machine().resume());
    }
    until_both_count(run);
    CHECK(run.machine().console_input({"x", 1}) == 1);
    run.expect_ok();
}

TEST_CASE("a paused machine can be destroyed" * doctest::skip(!kvm_usable())) {
    GuestRun run("pause");
    run.config.vcpus = 2;
    run.start();
    run.until_console("counting");
    REQUIRE(run.machine().pause());
    run.destroy();
}
