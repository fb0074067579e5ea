// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "harness.h"

using hrun::test::GuestRun;
using hrun::test::kvm_usable;

TEST_CASE("processors start by INIT and SIPI and send each other interrupts" * doctest::skip(!kvm_usable())) {
    for (uint32_t count : {1u, 2u, 4u, 32u}) {
        GuestRun run("smp");
        run.config.vcpus = count;
        run.start();
        run.expect_ok();
        CHECK(run.console().ends_with(std::to_string(count) + " processors\nok\n"));
    }
}
