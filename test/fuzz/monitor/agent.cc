// SPDX-License-Identifier: Apache-2.0
// An agent, that is a guest, that says anything to the monitor.
#include <sys/socket.h>

#include <cstdlib>

#include "base/unix_socket.h"
#include "monitor/agent_session.h"
#include "monitor/output.h"

namespace {

using namespace hrun;
using namespace hrun::monitor;

struct Host : AgentEvents {
    void agent_connected() override {}
    void agent_configured() override {}
    void agent_started(uint32_t) override {}
    Result<void> agent_output(uint8_t stream, std::string_view bytes) override {
        if (stream != HRUN_STDOUT && stream != HRUN_STDERR)
            abort();
        if (!outputs[stream - HRUN_STDOUT].append(bytes))
            return Error{EPROTO, "too much"};
        return {};
    }
    void agent_exit(const hrun_exit&) override {}
    void agent_error(const hrun_error&, std::string_view) override {}
    void agent_shutdown_done() override {}
    void agent_paused(bool) override {}
    Result<void> agent_suspended(std::string_view) override { return Error{EPROTO, "agent was not asked"}; }
    Result<void> agent_awake(uint32_t) override { return Error{EPROTO, "agent was not asked"}; }
    void agent_input_room() override {}
    void agent_gone(const Error&) override { ++gone; }

    Output outputs[2];
    int gone = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Host host;
    auto loop = std::move(*EventLoop::create());
    auto pair = std::move(*unix_pair());
    AgentSession agent(*loop, host);
    if (!agent.begin(std::move(pair.second), "", ""))
        return 0;
    while (size > 0 && agent.open()) {
        const size_t take = std::min<size_t>(size, 1 + data[0] * 16u);
        send(pair.first.get(), data, take, MSG_DONTWAIT | MSG_NOSIGNAL);
        data += take;
        size -= take;
        if (!loop->run_once({}))
            return 0;
        if (agent.open() && agent.input_credit() > 0)
            agent.send_input("x");
    }
    if (host.gone > 1)
        abort();
    return 0;
}
