// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "devices/virtio/blk.h"
#include "harness.h"
#include "memory/memory_file.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

TEST_CASE("a driver that breaks every rule breaks its own device only, and a reset mends it" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("hostile");
    Result<Fd> file = create_memory_file("disk", 8 << 20);
    REQUIRE(file);
    Result<virtio::BlkBackend> backend = virtio::BlkBackend::create(std::move(*file), false);
    REQUIRE(backend);
    auto disk = virtio::BlkDevice::create(run.loop(), std::move(*backend), "");
    REQUIRE(disk);
    run.add(0, std::move(*disk));
    run.start();
    run.expect_ok();
    const std::string said = run.console();
    size_t refused = 0;
    for (size_t at = said.find("refused: "); at != std::string::npos; at = said.find("refused: ", at + 1))
        ++refused;
    CHECK(refused == 23); // each attempt, none skipped
}
