// SPDX-License-Identifier: Apache-2.0
// One line of Docker's json-file log.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace hrun::monitor {

// What a line has of its container, for append_log_line; empty for none: {"key":"value",...}.
std::string log_attributes(const std::map<std::string, std::string>& attributes);

// Appends {"log":"...","stream":"...","attrs":...,"time":"..."} and a newline to `out`, byte for byte as Docker writes it: <, >, &
// and control characters as \u00xx, each byte that is not UTF-8 as \ufffd, U+2028 and U+2029 escaped. Without attributes
// there are no attrs.
void append_log_line(std::string& out, std::string_view text, std::string_view stream,
                     std::string_view attributes, std::string_view time);

} // namespace hrun::monitor
