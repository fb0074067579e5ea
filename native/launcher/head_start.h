// SPDX-License-Identifier: Apache-2.0
// A machine that starts while the CLI is still being loaded: docs/head-start.md.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "launcher/command_line.h"

namespace hrun::launcher {

struct HeadStart {
    Fd client;       // joined to the machine's keeper; to close it ends the machine
    std::string key; // of its template
    std::string id;
};

// The store's directory, as the CLI finds it; empty when there is none to be found.
std::string store_directory();

// Starts a machine that is prepared in a store, with that interface. None when there is none, whatever is in the way.
std::optional<HeadStart> begin_head_start(const std::string& store, Interface interface,
                                          const std::string& monitor);

} // namespace hrun::launcher
