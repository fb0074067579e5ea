// SPDX-License-Identifier: Apache-2.0
// A VM that serves a stopped container's files (hrun-vmm --service): its disks are mounted, its process is not started, and its
// state stays what it is. It ends when its last client has gone.
#pragma once

#include <string>

#include "base/event_loop.h"
#include "monitor/agent_connector.h"
#include "monitor/agent_session.h"
#include "monitor/client.h"
#include "monitor/container.h"
#include "monitor/control_server.h"
#include "monitor/machine.h"

namespace hrun::monitor {

class Service : private AgentEvents, private ClientEvents, private MachineEvents {
  public:
    Service(EventLoop& loop, Container container);

    // Boots the machine. Clients that attach are told STARTED when the agent answers, ERROR when the machine fails.
    void start(Fd first_client);
    // Unmounts the disks and ends.
    void stop();

  private:
    Result<void> start_parts(Fd first_client);
    void begin_session(Result<Fd> socket);

    void agent_configured() override;
    Result<void> agent_output(uint8_t stream, std::string_view bytes) override;
    void agent_exit(const hrun_exit&) override {}
    void agent_error(const hrun_error& error, std::string_view message) override;
    void agent_shutdown_done() override { machine_->kill(); }
    void agent_gone(const Error& error) override;

    void client_attached(Client& client) override;
    void client_signal(uint32_t) override {}
    void client_resize(std::string_view) override {}
    void client_stop(const hrun_stop&) override { stop(); }
    void client_pause(Client&, bool) override {}
    void client_ready() override { schedule(); }
    void client_gone(Client& client) override;

    void machine_gone() override;
    void machine_failed(uint32_t kind, std::string message) override;
    void machine_disk_failed(unsigned, bool) override {}

    void conclude(std::string verdict);
    void end();
    void finish();
    void schedule();
    void tell_clients();

    EventLoop& loop_;
    Container container_;
    const Config& config_;
    std::unique_ptr<Machine> machine_;
    ControlServer control_;
    AgentConnector connector_;
    AgentSession agent_;
    Outputs outputs_; // always empty
    bool configured_ = false;
    bool finished_ = false;
    std::string verdict_; // the frame that tells clients how it ended: EXIT or ERROR
    Timer limit_;         // of the boot, later of the shutdown
    Timer turn_;
};

} // namespace hrun::monitor
