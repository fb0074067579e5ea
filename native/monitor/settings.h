// SPDX-License-Identifier: Apache-2.0
// settings/ of a container's directory: what the CLI has written for whoever starts the container. It is believed, so a
// jailed monitor has it mounted read-only.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace hrun::monitor {

constexpr char kSettings[] = "settings";

// A file of settings/ in `directory`: a plain one of at most `limit` bytes.
Result<std::string> read_setting(int directory, const char* name, size_t limit);

} // namespace hrun::monitor
