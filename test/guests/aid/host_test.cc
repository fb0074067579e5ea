// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "harness.h"
#include "vmm/software_kvm.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

TEST_CASE("with the aid, FWAIT and INT3 do what a processor does" * doctest::skip(!kvm_usable())) {
    GuestRun run("aid");
    run.aid = vmm::software_kvm_aid();
    run.start();
    run.expect_ok();
}

TEST_CASE("without the aid, a machine runs them or says which instruction ended it" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("aid");
    run.start();
    run.until_end();
    const vmm::End end = run.machine().how_it_ended();
    if (end.reason != vmm::End::Reason::kReset)
        CHECK(end.message.starts_with("KVM could not emulate an instruction: 9b "));
}

TEST_CASE("what the emulator lacks is hidden, and the clocks are dilated") {
    vmm::CpuidTable table(2);
    table[0] = {.function = 1, .ecx = ~0u};
    table[1] = {.function = 0x40000001};
    table = vmm::software_kvm_cpuid(std::move(table));
    REQUIRE(table.size() == 1);
    CHECK((table[0].ecx & (1u << 13 | 1u << 24)) == 0); // CMPXCHG16B, TSC deadline
    vmm::Config config{.command_line = "first"};
    vmm::apply_software_kvm(config, 2000000);
    CHECK(config.apic_tick_ns == vmm::kSoftwareKvmDilation);
    CHECK(config.command_line.starts_with("first "));
    CHECK(config.command_line.find(" tsc_early_khz=200000000 ") != std::string::npos);
}
