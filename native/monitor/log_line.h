// SPDX-License-Identifier: Apache-2.0
// One line of Docker's json-file log.
#pragma once

#include <string>
#include <string_view>

namespace hrun::monitor {

// Appends {"log":"...","stream":"...","time":"..."} and a newline to `out`, byte for byte as Docker writes it: <, >, & and
// control characters as \u00xx, each byte that is not UTF-8 as \ufffd, U+2028 and U+2029 escaped.
void append_log_line(std::string& out, std::string_view text, std::string_view stream, std::string_view time);

} // namespace hrun::monitor
