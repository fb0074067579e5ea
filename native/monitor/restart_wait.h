// SPDX-License-Identifier: Apache-2.0
// The wait between two runs of a container (docs/monitor.md): no VM, but clients, who may end it.
#pragma once

#include "base/event_loop.h"
#include "monitor/client.h"
#include "monitor/container.h"
#include "monitor/control_server.h"

namespace hrun::monitor {

class RestartWait : private ClientEvents {
  public:
    RestartWait(EventLoop& loop, Container container);

    // Waits Container::restart_wait, then tells the keeper and stops the loop.
    void start(Fd first_client);
    // As SIGTERM: there is no next run, for the host goes down.
    void stop() { end(false); }

  private:
    Result<void> start_parts(Fd first_client);
    void end(bool by_user);
    Result<void> write_exited(bool by_user);

    void client_attached(Client& client) override;
    void client_signal(uint32_t number) override;
    void client_resize(std::string_view) override {}
    void client_stop(const hrun_stop& stop) override { end((stop.flags & HRUN_STOP_FOR_HOST) == 0); }
    void client_pause(Client& client, bool paused) override;
    void client_ready() override { schedule(); }
    void client_gone(Client& client) override;

    void schedule();
    void tell_clients();

    EventLoop& loop_;
    Container container_;
    ControlServer control_;
    Outputs outputs_; // always empty
    bool stopped_ = false;
    Timer over_;
    Timer turn_;
    Timer limit_; // for clients that do not read
};

} // namespace hrun::monitor
