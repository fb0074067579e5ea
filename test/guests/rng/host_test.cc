// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/rng.h"

#include <doctest/doctest.h>

#include "harness.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

TEST_CASE("a guest gets random bytes, by interrupt, and not more than it may at once" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("rng");
    run.add(0, std::make_unique<virtio::RngDevice>(run.loop()));
    run.start();
    run.expect_ok();
}
