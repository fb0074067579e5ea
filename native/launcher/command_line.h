// SPDX-License-Identifier: Apache-2.0
// What can be told of a command line before the CLI has read it.
#pragma once

#include <string_view>
#include <vector>

namespace hrun::launcher {

// Options that say nothing about the machine. Those of one letter may stand together.
struct PlainOption {
    char letter; // 0: none
    std::string_view name;
    bool has_value;
};

// test/cli/head-start.test.ts compares them with the CLI's.
const std::vector<PlainOption>& plain_options();

// Whether these are `run`, nothing but plain options, and an image: then the container fits a machine of the default size. `owns_bridges`: the
// default network is none that needs more than a tap interface.
bool is_plain_run(const std::vector<std::string_view>& words, bool owns_bridges);

} // namespace hrun::launcher
