// SPDX-License-Identifier: Apache-2.0
// What can be told of a command line before the CLI has read it.
#pragma once

#include <optional>
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

// The network interface of a machine.
enum class Interface { kNone, kTap };

// What a host's containers can have; none: an interface of another kind, or an error.
struct Networks {
    std::optional<Interface> usual; // what comes without --network
    std::optional<Interface> bridge;
};

// What the machine has if these are `run`, nothing but plain options, and an image: then the container fits one of the default size. None if they
// are not, or it is to have another interface.
std::optional<Interface> plain_run(const std::vector<std::string_view>& words, Networks networks);

} // namespace hrun::launcher
