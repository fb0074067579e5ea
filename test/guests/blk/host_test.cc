// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/blk.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "harness.h"
#include "memory/memory_file.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

namespace {

constexpr uint64_t kSectors = 16384;

// A disk whose sectors begin with their own numbers, the first and the last excepted.
Fd make_disk() {
    Result<Fd> file = create_memory_file("disk", kSectors * 512);
    REQUIRE(file);
    for (uint32_t sector = 1; sector + 1 < kSectors; ++sector)
        REQUIRE(pwrite(file->get(), &sector, sizeof sector, sector * 512) == sizeof sector);
    return std::move(*file);
}

void add_disk(GuestRun& run, uint32_t slot, int file, bool read_only) {
    Result<virtio::BlkBackend> backend = virtio::BlkBackend::create(Fd(dup(file)), read_only);
    REQUIRE(backend);
    auto device = virtio::BlkDevice::create(run.loop(), std::move(*backend), "disk-" + std::to_string(slot));
    REQUIRE(device);
    run.add(slot, std::move(*device));
}

} // namespace

TEST_CASE("a disk that the host cannot write is told to its owner and not to the guest" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("blk");
    const Fd disk = make_disk();
    const Fd unwritable(open(("/proc/self/fd/" + std::to_string(disk.get())).c_str(), O_RDONLY | O_CLOEXEC));
    auto backend = virtio::BlkBackend::create(Fd(dup(unwritable.get())), false);
    REQUIRE(backend);
    auto device = virtio::BlkDevice::create(run.loop(), std::move(*backend), "disk-0");
    REQUIRE(device);
    int told = 0;
    (*device)->on_write_error([&](const Error& error) {
        CHECK(error.code == EBADF);
        ++told;
    });
    run.add(0, std::move(*device));
    run.start();
    run.until([&] { return told > 0; });
    run.machine().stop();
    run.until_end();
    CHECK(told == 1);
    CHECK(run.console().empty());
}

TEST_CASE("a guest reads, writes, flushes, zeroes and discards, and is refused what is wrong" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("blk");
    SUBCASE("by plain rings") {}
    SUBCASE("by indirect descriptors, notified and interrupted by event index") {
        run.config.command_line = "rings";
    }
    const Fd writable = make_disk(), read_only = make_disk();
    add_disk(run, 0, writable.get(), false);
    add_disk(run, 1, read_only.get(), true);
    run.start();
    run.expect_ok();
    uint8_t bytes[4096];
    REQUIRE(pread(writable.get(), bytes, sizeof bytes, 64 * 512) == sizeof bytes);
    CHECK(bytes[0] == 0);       // discarded
    CHECK(bytes[2048] == 0x5a); // written
    uint32_t number;
    REQUIRE(pread(read_only.get(), &number, sizeof number, 7 * 512) == sizeof number);
    CHECK(number == 7);
}
