// SPDX-License-Identifier: Apache-2.0
#include "monitor/agent_connector.h"

#include <memory>

#include "base/unix_socket.h"
#include "protocol.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kRetry = 4ms; // the guest's driver is up, its agent not listening yet

} // namespace

void AgentConnector::connect(Machine& machine, Done done) {
    machine_ = &machine;
    done_ = std::move(done);
    try_once();
}

void AgentConnector::cancel() {
    done_ = nullptr;
    retry_.reset();
}

// The request waits for the guest's driver. A refusal means that the driver is up and the agent not yet.
void AgentConnector::try_once() {
    auto pair = unix_pair();
    if (!pair)
        return finish(pair.error());
    auto ours = std::make_shared<Fd>(std::move(pair->first));
    auto asked = machine_->connect(HRUN_AGENT_PORT, std::move(pair->second),
                                   [this, ours](Result<virtio::VsockKey> key) {
                                       if (!done_)
                                           return;
                                       if (key)
                                           finish(std::move(*ours));
                                       else
                                           retry_ = loop_.after(kRetry, [this] { try_once(); });
                                   });
    if (!asked)
        finish(asked.error());
}

void AgentConnector::finish(Result<Fd> socket) {
    if (const Done done = std::exchange(done_, nullptr))
        done(std::move(socket));
}

} // namespace hrun::monitor
