// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "harness.h"

using hrun::test::GuestRun;
using hrun::test::kvm_usable;

TEST_CASE("timers interrupt: the local APIC's and the PIT's" * doctest::skip(!kvm_usable())) {
    GuestRun run("timer");
    run.config.pit = true;
    run.start();
    run.expect_ok();
}
