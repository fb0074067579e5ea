// SPDX-License-Identifier: Apache-2.0
#include "monitor/console.h"

#include <doctest/doctest.h>

#include "monitor/temporary_directory.h"

namespace hrun::monitor {
namespace {

struct ConsoleRig {
    void say(const std::string& text) { console->append(text); }

    hrun::test::TemporaryDirectory directory;
    int panics = 0;
    std::unique_ptr<Console> console = std::move(*Console::open(directory.fd.get(), [this] { ++panics; }));
};

TEST_CASE("a panic is found, also in pieces, and told once") {
    ConsoleRig rig;
    rig.say("[    1.0] all is well\r\n[    2.0] Kernel panic - not");
    CHECK(rig.panics == 0);
    CHECK(rig.console->last_line() == "[    1.0] all is well");
    rig.say(" syncing: VFS: no root\r\n[    2.1] Kernel panic - not syncing: again\r\n");
    CHECK(rig.panics == 1);
    CHECK(rig.console->panic() == "[    2.0] Kernel panic - not syncing: VFS: no root");
    CHECK(rig.directory.read("console.log").starts_with("[    1.0] all is well\r\n"));
}

TEST_CASE("however much the guest says, the newest megabyte at most is kept") {
    ConsoleRig rig;
    const std::string line(1023, 'x');
    for (int i = 0; i < 3000; ++i)
        rig.say(line + "\n");
    rig.say("the end\n");
    const std::string kept = rig.directory.read("console.log");
    CHECK(kept.size() <= Console::kMaxBytes);
    CHECK(kept.size() >= Console::kMaxBytes / 2);
    CHECK(kept.ends_with("the end\n"));
}

TEST_CASE("a line without end and control characters do no harm") {
    ConsoleRig rig;
    for (int i = 0; i < 100; ++i)
        rig.say(std::string(4000, 'y') + "\x1b[31m");
    rig.say("\n");
    CHECK(rig.console->last_line().size() <= 512);
    CHECK(rig.console->last_line().find('\x1b') == std::string::npos);
}

} // namespace
} // namespace hrun::monitor
