// SPDX-License-Identifier: Apache-2.0
#include "monitor/start_payload.h"

#include <doctest/doctest.h>

#include "monitor/frames.h"
#include "protocol.h"

namespace hrun::monitor {
namespace {

std::string tlv(hrun_start_tag tag, std::string_view value) {
    const hrun_tlv head{static_cast<uint16_t>(tag), 0, static_cast<uint32_t>(value.size())};
    return std::string(bytes_of(head)).append(value);
}

std::string flags(uint32_t value) {
    return tlv(HRUN_START_FLAGS, bytes_of(value));
}

TEST_CASE("the command is its words with blanks between") {
    CHECK(start_command(tlv(HRUN_START_ARG, "sh") + flags(0) + tlv(HRUN_START_ARG, "-c")) == "sh -c");
    CHECK(start_command("") == "");
}

TEST_CASE("a process wants input if its flags say so, and never by a broken payload") {
    const std::string wants = flags(HRUN_START_STDIN);
    CHECK(start_wants_input(wants));
    CHECK_FALSE(start_wants_input(flags(HRUN_START_TTY)));
    CHECK_FALSE(start_wants_input(wants + tlv(HRUN_START_ARG, "sh").substr(0, 9)));
}

} // namespace
} // namespace hrun::monitor
