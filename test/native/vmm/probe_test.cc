// SPDX-License-Identifier: Apache-2.0
#include "vmm/probe.h"

#include <doctest/doctest.h>

using namespace hrun;

TEST_CASE("the probe measures what this host's KVM is worth" * doctest::skip(!kvm::System::open())) {
    Result<kvm::System> system = kvm::System::open();
    Result<vmm::Probe> probe = vmm::probe(*system);
    REQUIRE_MESSAGE(probe, probe.error().message());
    CHECK(probe->missing.empty());
    CHECK(probe->max_vcpus >= 32);
    CHECK(probe->instructions_per_second > 10000);
    // No processor with virtualization in hardware lies between the two.
    CHECK((probe->instructions_per_second < 20e6 || probe->instructions_per_second > 100e6));
    MESSAGE("instructions/s: ", probe->instructions_per_second,
            ", probe took us: ", probe->elapsed_ns / 1000);
}
