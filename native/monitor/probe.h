// SPDX-License-Identifier: Apache-2.0
// One probe of a container's health: a process that its agent starts, what it says, and how it ends. The guest may answer anything,
// or nothing: every wait has a limit, and no more than kMaxOutput bytes are kept.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/event_loop.h"
#include "base/fd.h"
#include "monitor/agent_session.h"
#include "monitor/health.h"

namespace hrun::monitor {

class Probe : private AgentEvents {
  public:
    static constexpr size_t kMaxOutput = 4096; // bytes, as Docker

    struct Done {
        ProbeResult result;
        bool ended; // the process has told its end: `exit_code`
        uint32_t exit_code;
    };

    Probe(EventLoop& loop, std::function<void(const Done&)> done);

    // Starts the process that `payload`, of START, describes, over `socket`, a connection to the agent. `done` is called once, from
    // the loop, never from inside a call; the probe may be destroyed in it. `timeout` begins when the process runs.
    void begin(Result<Fd> socket, std::string_view payload, std::chrono::milliseconds timeout);
    // Kills the process; the result is still told.
    void cancel();

  private:
    void agent_started(uint32_t pid) override;
    Result<void> agent_output(uint8_t stream, std::string_view bytes) override;
    void agent_exit(const hrun_exit& exit) override;
    void agent_error(const hrun_error& error, std::string_view message) override;
    void agent_gone(const Error& error) override;

    void time_out();
    void fail(const std::string& why);
    void finish();
    std::string output() const;

    EventLoop& loop_;
    std::function<void(const Done&)> done_;
    AgentSession agent_;
    Done outcome_;
    std::chrono::milliseconds timeout_{};
    std::string output_;
    bool truncated_ = false;
    bool killed_ = false;
    bool timed_out_ = false;
    Timer limit_; // of what is waited for: the start, the end, the end after SIGKILL
    Timer turn_;  // to tell the result
};

} // namespace hrun::monitor
