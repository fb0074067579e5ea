// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "harness.h"
#include "monitor/share_daemon.h"
#include "monitor/share_device.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

namespace {

constexpr char kDaemon[] = "/usr/lib/qemu/virtiofsd";

bool can_share() {
    const bool can = geteuid() == 0 && access(kDaemon, X_OK) == 0;
    if (!can)
        fprintf(stderr, "skipped: this host cannot share directories: not root, or no %s\n", kDaemon);
    return can && kvm_usable();
}

// A directory with one file, shared as hrun shares it, and a machine with the device.
struct Share {
    Share() {
        char path[] = "/tmp/hrun-share-XXXXXX";
        REQUIRE(mkdtemp(path));
        directory = path;
        std::filesystem::create_directory(directory + "/shared");
        std::ofstream(file()) << "hello from the host";
        const Fd at(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
        shared = daemon.start(at.get(), {0, kDaemon, {{directory + "/shared", false}}});
        REQUIRE(!shared.failed);
    }
    ~Share() {
        run.destroy();
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    std::string file() const { return directory + "/shared/greeting"; }
    void start() {
        auto device =
            monitor::make_share_device(run.loop(), std::move(shared.machine), [this](std::string why) {
                failed = std::move(why);
                run.machine().stop();
            });
        auto& remote = run.add(0, std::move(device));
        run.built = [&](vmm::Machine& machine) {
            return monitor::connect_share_device(remote, machine.memory());
        };
        run.start();
    }

    std::string directory;
    monitor::ShareDaemon daemon;
    monitor::SharedDirectories shared;
    std::optional<std::string> failed;
    GuestRun run{"fs"};
};

} // namespace

TEST_CASE("a guest reads and writes the host's file through virtiofsd, and after a reset again" *
          doctest::skip(!can_share())) {
    Share share;
    share.start();
    share.run.expect_ok();
    CHECK(!share.failed);
    std::string text;
    std::getline(std::ifstream(share.file()), text);
    CHECK(text == "hello from the guest");
}

TEST_CASE("the daemon takes memory on both sides of the hole below 4 GiB" * doctest::skip(!can_share())) {
    Share share;
    share.run.config.memory = 5ull << 30;
    share.start();
    share.run.expect_ok();
}

TEST_CASE("a virtiofsd that is killed is told of once, and the machine can go" *
          doctest::skip(!can_share())) {
    Share share;
    share.run.config.command_line = "w";
    share.start();
    share.run.until_console("used\n");
    CHECK(!share.failed);
    REQUIRE(syscall(SYS_pidfd_send_signal, share.shared.daemon.get(), SIGKILL, nullptr, 0) == 0);
    share.run.until_end();
    CHECK(share.failed == "the daemon that shares the host's directories has ended; see monitor.log");
}
