// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>

#include "harness.h"

using hrun::boot::Range;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

namespace {

bool covers(const std::vector<Range>& ranges, uint64_t address) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
        return address >= range.address && address - range.address < range.size;
    });
}

uint64_t bytes(const std::vector<Range>& ranges) {
    uint64_t sum = 0;
    for (const Range& range : ranges)
        sum += range.size;
    return sum;
}

} // namespace

TEST_CASE("the dirty log names the pages that the guest wrote, once" * doctest::skip(!kvm_usable())) {
    GuestRun run("dirty");
    run.start();
    run.until_console("ready");
    REQUIRE(run.machine().log_dirty(true));
    REQUIRE(run.machine().take_dirty());
    run.machine().console_input({"a", 1});
    run.until_console("wrote a\n");
    REQUIRE(run.machine().pause());
    auto dirty = run.machine().take_dirty();
    REQUIRE(dirty);
    CHECK(covers(*dirty, 0x400000));
    CHECK(covers(*dirty, 0x401000));
    CHECK(covers(*dirty, 0x7ff000));
    CHECK(!covers(*dirty, 0x402000));
    CHECK(bytes(*dirty) < 64 * 4096);
    dirty = run.machine().take_dirty();
    REQUIRE(dirty);
    CHECK(dirty->empty());
    REQUIRE(run.machine().resume());
    run.machine().console_input({"q", 1});
    run.expect_ok();
}
