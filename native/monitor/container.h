// SPDX-License-Identifier: Apache-2.0
// A container's directory, locked, and what the CLI left there for its monitor.
#pragma once

#include <string>
#include <variant>

#include "base/fd.h"
#include "monitor/config.h"

namespace hrun::monitor {

struct Container {
    Fd directory;
    Fd lock;          // held from start to end
    std::string path; // absolute
    Config config;
    std::string configure; // payloads for the agent
    std::string start;
};

// Locks and reads the directory; or one line that says what is wrong with it.
std::variant<Container, std::string> open_container(const char* path);

} // namespace hrun::monitor
