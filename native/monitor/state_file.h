// SPDX-License-Identifier: Apache-2.0
// state.json: what the container's life has come to (docs/monitor.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace hrun::monitor {

struct State {
    struct Failure {
        uint32_t kind; // enum hrun_error_kind
        std::string message;
    };

    std::string status; // starting, running, paused, restarting, exited
    int monitor_pid = 0;
    int vmm_pid = 0;
    std::string started_at;
    std::string finished_at;
    uint32_t exit_code = 0;
    uint32_t signal = 0;
    bool oom_killed = false;
    uint32_t restart_count = 0;
    bool stopped = false; // its user has ended it
    std::optional<Failure> error;
};

// Text of state.json. Bytes of a message that are not UTF-8 become U+FFFD.
std::string to_json(const State& state);

// state.json of `directory`. EBADMSG: it is not one.
Result<State> read_state(int directory);

// Takes the room on the disk that the last state will need: a container that has filled the disk is told of like any other.
Result<void> reserve_last_state(int directory);

// Replaces state.json in `directory` atomically; an `exited` state takes the reserved room. Only that one is made durable
// before it returns: the others are wrong after a crash of the host anyway, which a free lock tells.
Result<void> write_state(int directory, const State& state);

} // namespace hrun::monitor
