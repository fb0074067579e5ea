// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "harness.h"

using hrun::test::GuestRun;
using hrun::test::kvm_usable;
using hrun::vmm::End;

TEST_CASE("ports and addresses where nothing is float high and take anything" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("faults");
    run.start();
    run.expect_ok();
}

TEST_CASE("a triple fault ends the machine with the registers it left" * doctest::skip(!kvm_usable())) {
    GuestRun run("faults");
    run.config.command_line = "t";
    run.start();
    run.until_end();
    const End end = run.machine().how_it_ended();
    CHECK(end.reason == End::Reason::kTripleFault);
    CHECK(end.message.starts_with("the guest took a triple fault (vCPU 0 at 0000000000"));
    CHECK(end.message.find("\ncr0 80000011") != std::string::npos);
}

TEST_CASE("a spinning guest is stopped at once and for good" * doctest::skip(!kvm_usable())) {
    GuestRun run("faults");
    run.config.command_line = "s";
    run.start();
    run.machine().stop();
    run.until_end();
    CHECK(run.machine().how_it_ended().reason == End::Reason::kStopped);
    run.machine().stop();
    run.destroy();
}
