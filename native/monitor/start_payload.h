// SPDX-License-Identifier: Apache-2.0
// What monitor and keeper must know of the payload of START, which it passes on as it is.
#pragma once

#include <string>
#include <string_view>

namespace hrun::monitor {

// The container's process reads standard input (HRUN_START_STDIN). False when the payload is broken: the agent says so.
bool start_wants_input(std::string_view payload);
// The command's words with blanks between them, as events name it.
std::string start_command(std::string_view payload);

} // namespace hrun::monitor
