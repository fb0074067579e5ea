// SPDX-License-Identifier: Apache-2.0
// Files of a container's directory that others read at any moment: a reader sees the old content or the new.
#pragma once

#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

// A file to write in a container's directory. The keeper does so after a monitor that may have been broken out of: what is no
// ordinary file was planted, and goes.
Fd open_unplanted(int directory, const char* name);

// Makes `text` the content of `name`, by way of `unfinished` beside it; `durable`: it survives a power cut.
Result<void> replace_file(int directory, const char* name, const char* unfinished, std::string_view text,
                          bool durable);

} // namespace hrun::monitor
