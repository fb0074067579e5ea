// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/balloon.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "harness.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

namespace {

constexpr int64_t kPage = 4096;
constexpr int64_t kOwn = 16 * kPage; // what the guest's program touches meanwhile: stack, rings, tables

// Bytes that the machine's memory file takes of the host.
int64_t memory_used(GuestRun& run) {
    struct stat st;
    REQUIRE(fstat(run.machine().memory().file.get(), &st) == 0);
    return st.st_blocks * 512;
}

// Waits for the guest to come to `step`; go_on() lets it pass.
void until_step(GuestRun& run, const std::string& step) {
    run.until_console(step + "\n");
}
void go_on(GuestRun& run) {
    REQUIRE(run.machine().console_input(std::string("\n")) == 1);
}

} // namespace

TEST_CASE("memory that a guest lends or reports free is the host's again" * doctest::skip(!kvm_usable())) {
    GuestRun run("balloon");
    std::vector<virtio::BalloonStats> reports;
    auto& balloon = run.add(0, std::make_unique<virtio::BalloonDevice>(
                                   run.loop(), [&](const auto& stats) { reports.push_back(stats); }));
    run.start();
    until_step(run, "used");
    const int64_t used = memory_used(run);
    balloon.set_target(512);
    go_on(run);
    until_step(run, "lent");
    CHECK(memory_used(run) < used - 512 * kPage + kOwn);
    CHECK(balloon.lent_pages() == 512);
    go_on(run);
    until_step(run, "taken back");
    CHECK(memory_used(run) < used - 511 * kPage + kOwn); // but for the page that was looked at
    CHECK(balloon.lent_pages() == 256);
    go_on(run);
    until_step(run, "reported");
    CHECK(memory_used(run) < used - (511 + 511) * kPage + kOwn);
    MESSAGE("bytes of the guest's memory in use: ", used, " before, ", memory_used(run), " after");
    go_on(run);
    until_step(run, "stats");
    run.until([&] { return reports.size() == 1; });
    CHECK(reports[0].free_memory == 1234);
    CHECK(reports[0].total_memory == 5678);
    CHECK(balloon.request_stats());
    go_on(run);
    until_step(run, "stats again");
    run.until([&] { return reports.size() == 2; });
    CHECK(reports[1].free_memory == 4321);
    go_on(run);
    run.expect_ok();
}
