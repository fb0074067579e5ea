// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "harness.h"

using hrun::test::GuestRun;
using hrun::test::kvm_usable;

TEST_CASE("a guest boots, reads its command line, talks on the serial console and powers off" *
          doctest::skip(!kvm_usable())) {
    GuestRun run("hello");
    run.config.command_line = "quiet one=1";
    run.start();
    run.until_console("command line: quiet one=1\n");
    const std::string word = "hallo";
    CHECK(run.machine().console_input({word.data(), word.size()}) == 5);
    run.expect_ok();
    CHECK(run.console().find("read: hallo\n") != std::string::npos);
}
