// SPDX-License-Identifier: Apache-2.0
// A guest is saved in the middle of something, its machine destroyed, and the guest goes on in another.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "devices/virtio/balloon.h"
#include "devices/virtio/blk.h"
#include "devices/virtio/console.h"
#include "devices/virtio/net.h"
#include "devices/virtio/net_stream.h"
#include "devices/virtio/rng.h"
#include "devices/virtio/vsock.h"
#include "harness.h"
#include "memory/memory_file.h"
#include "snapshot/snapshot_directory.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;
using hrun::test::SnapshotDirectory;

namespace {

// Boots the guest and saves it where it may be; what is left of it is the file.
void save_at(const std::string& command_line, const std::string& path,
             const std::string& place = "saved here", uint32_t vcpus = 1) {
    GuestRun run("snapshot");
    run.config.command_line = command_line;
    run.config.vcpus = vcpus;
    run.start();
    run.until_console(place);
    run.save(path);
}

void restore(GuestRun& run, const std::string& path) {
    const Result<void> restored = run.restore(path);
    REQUIRE_MESSAGE(restored, restored.error().message());
}

void say(GuestRun& run, char byte) {
    REQUIRE(run.machine().console_input({&byte, 1}) == 1);
}

} // namespace

TEST_CASE("a guest goes on in another machine with all registers of its processors" *
          doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    save_at("registers", directory.file("a"), "saved here", 2);
    GuestRun run("snapshot");
    restore(run, directory.file("a"));
    REQUIRE(run.machine().vcpu_count() == 2);
    REQUIRE(run.machine().start());
    say(run, 'x');
    run.expect_ok();
}

TEST_CASE("input that waits in the serial port is still there" * doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    {
        GuestRun run("snapshot");
        run.config.command_line = "registers";
        run.config.vcpus = 2;
        run.start();
        run.until_console("saved here");
        REQUIRE(run.machine().pause());
        say(run, 'x');
        run.save(directory.file("a"));
    }
    GuestRun run("snapshot");
    restore(run, directory.file("a"));
    REQUIRE(run.machine().start());
    run.expect_ok();
}

TEST_CASE("the machine that was saved goes on as well" * doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    GuestRun run("snapshot");
    run.config.command_line = "registers";
    run.config.vcpus = 2;
    run.start();
    run.until_console("saved here");
    for (int i = 0; i < 3; ++i) {
        run.save(directory.file("a"));
        REQUIRE(run.machine().resume());
    }
    say(run, 'x');
    run.expect_ok();
}

TEST_CASE("an interrupt that is pending stays so" * doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    save_at("pending", directory.file("a"));
    GuestRun run("snapshot");
    restore(run, directory.file("a"));
    REQUIRE(run.machine().start());
    say(run, 'x');
    run.expect_ok();
}

TEST_CASE("a guest that sleeps is woken by its timer" * doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    save_at("sleep", directory.file("a"));
    GuestRun run("snapshot");
    restore(run, directory.file("a"));
    REQUIRE(run.machine().start());
    run.expect_ok();
}

TEST_CASE("a disk's requests are neither lost nor done twice" * doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    auto disk = create_memory_file("disk", 8 << 20);
    REQUIRE(disk);
    const auto add_disk = [&](GuestRun& run) {
        auto backend = virtio::BlkBackend::create(Fd(dup(disk->get())), false);
        REQUIRE(backend);
        auto device = virtio::BlkDevice::create(run.loop(), std::move(*backend), "disk");
        REQUIRE(device);
        run.add(0, std::move(*device));
    };
    auto run = std::make_unique<GuestRun>("snapshot");
    run->config.command_line = "blk";
    add_disk(*run);
    run->start();
    for (int place = 1; place < 30; place += 4) {
        run->until_console("saved here " + std::to_string(place));
        run->save(directory.file("a"));
        run = std::make_unique<GuestRun>("snapshot");
        add_disk(*run);
        restore(*run, directory.file("a"));
        REQUIRE(run->machine().start());
    }
    run->expect_ok();
}

TEST_CASE("a guest is told that its vsock connections are gone before it gets a new one" *
          doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    const auto connect = [](GuestRun& run, virtio::VsockDevice& vsock) {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        REQUIRE(vsock.connect(1024, Fd(ends[1]), [](const auto&) {}));
        (void)run;
        return Fd(ends[0]);
    };
    const auto add_vsock = [](GuestRun& run) -> virtio::VsockDevice& {
        auto refuse = [](uint32_t) { return Result<Fd>(Error{ECONNREFUSED, "connect"}); };
        return run.add(0, std::make_unique<virtio::VsockDevice>(run.loop(), 3, refuse));
    };
    {
        GuestRun run("snapshot");
        run.config.command_line = "vsock";
        auto& vsock = add_vsock(run);
        run.start();
        const Fd socket = connect(run, vsock);
        run.until_console("host port 40000000\nsaved here");
        run.save(directory.file("a"));
    }
    GuestRun run("snapshot");
    auto& vsock = add_vsock(run);
    restore(run, directory.file("a"));
    CHECK(vsock.connection_count() == 0);
    const Fd socket = connect(run, vsock);
    REQUIRE(write(socket.get(), "ping", 4) == 4);
    REQUIRE(run.machine().start());
    run.expect_ok();
    CHECK(run.console() == "connections are gone\nhost port 40000001\nok\n");
}

TEST_CASE("pages that a restored guest lends read as zeroes and are the host's again" *
          doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    const auto add_balloon = [](GuestRun& run) -> virtio::BalloonDevice& {
        return run.add(0, std::make_unique<virtio::BalloonDevice>(run.loop(), [](const auto&) {}));
    };
    {
        GuestRun run("balloon");
        add_balloon(run);
        run.start();
        run.until_console("used\n");
        run.save(directory.file("a"));
    }
    GuestRun run("balloon");
    auto& balloon = add_balloon(run);
    restore(run, directory.file("a"));
    balloon.set_target(512);
    REQUIRE(run.machine().start());
    say(run, '\n');
    for (const char* step : {"lent\n", "taken back\n", "reported\n"}) {
        run.until_console(step);
        say(run, '\n');
    }
    run.until_console("stats\n");
    CHECK(balloon.freed_bytes() >= 1023 * 4096);
    CHECK(balloon.lent_pages() == 256);
}

TEST_CASE("clones of one snapshot do not see each other's memory" * doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    save_at("clones", directory.file("a"));
    const std::string before = directory.contents("a");
    std::vector<std::unique_ptr<GuestRun>> clones;
    for (int i = 0; i < 20; ++i) {
        clones.push_back(std::make_unique<GuestRun>("snapshot"));
        restore(*clones.back(), directory.file("a"));
        REQUIRE(clones.back()->machine().start());
    }
    for (int i = 0; i < 20; ++i)
        say(*clones[static_cast<size_t>(i)], static_cast<char>('A' + i));
    for (int i = 0; i < 20; ++i)
        clones[static_cast<size_t>(i)]->until_console(std::string("I am ") + static_cast<char>('A' + i));
    for (const auto& clone : clones)
        say(*clone, '\n');
    for (const auto& clone : clones)
        clone->expect_ok();
    CHECK(directory.contents("a") == before);
}

TEST_CASE("a machine that runs is not saved" * doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    GuestRun run("snapshot");
    run.config.command_line = "clones";
    run.start();
    run.until_console("saved here");
    auto system = kvm::System::open();
    REQUIRE(system);
    const Result<void> saved = run.machine().save(*system, {directory.descriptor(), "a"});
    REQUIRE(!saved);
    CHECK(saved.error().code == EBUSY);
    CHECK(directory.names().empty());
}
