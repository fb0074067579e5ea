// SPDX-License-Identifier: Apache-2.0
// A process in the container as the tests see it: started with a few options, run to its end.
#pragma once

#include <string>
#include <vector>

#include "rig/wire.h"

namespace hrun::test {

struct Command {
    std::vector<std::string> arguments;
    std::vector<std::string> environment = {"PATH=/bin:/sbin"};
    std::string user = {};
    std::string cwd = {};
    uint32_t flags = 0;                 // of enum hrun_start_flags
    uint64_t capabilities = 0xa80425fb; // Docker's
    std::string input = {};
    Tlvs more = {}; // further tags
};

struct Outcome {
    std::string output;
    std::string error;
    hrun_exit exit{};
    std::string failure; // text of ERROR, if that was the answer
    hrun_error failure_head{};
    uint32_t pid = 0; // from STARTED
};

Tlvs start_tlvs(const Command& command);

// Sends START and, with HRUN_START_STDIN, the input by credit; reads everything up to EXIT or ERROR.
Outcome run_session(Wire& wire, const Command& command);

// The rest of a session that has been started: everything up to EXIT or ERROR.
Outcome finish_session(Wire& wire, std::string_view input = {}, bool feed = false);

} // namespace hrun::test
