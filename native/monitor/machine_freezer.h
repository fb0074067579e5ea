// SPDX-License-Identifier: Apache-2.0
// Makes what a template's copies are thawed from (hrun-vmm --freeze, docs/frozen.md): has a copy rehearse, and writes QEMU's process and the
// machine's memory into the directory.
#pragma once

#include <optional>
#include <string>

#include "base/event_loop.h"
#include "monitor/agent_connector.h"
#include "monitor/agent_session.h"
#include "monitor/container.h"
#include "monitor/qemu_machine.h"
#include "monitor/rehearsal.h"

namespace hrun::monitor {

class MachineFreezer : private MachineEvents, private AgentEvents {
  public:
    MachineFreezer(EventLoop& loop, Container container);

    // Begins. The loop stops when both files are whole and synced, or cannot be made; then the keeper is not told that all is well, and the
    // reason is on standard error. Nobody is listened to.
    void start(Fd client);
    void stop() { give_up("it was told to stop"); }

  private:
    Result<void> start_machine();
    void rehearsed(const Result<void>& done);
    void connect();
    void suspended(const Result<void>& done);
    void freeze();
    Result<void> finish();
    void give_up(const std::string& why);

    void machine_gone() override { give_up(machine_->why_gone()); }
    void machine_failed(uint32_t, std::string message) override { give_up(message); }
    void machine_disk_failed(unsigned, bool) override { give_up("a disk cannot be read or written"); }
    Result<void> agent_output(uint8_t, std::string_view) override { return {}; }
    void agent_exit(const hrun_exit&) override {}
    void agent_error(const hrun_error&, std::string_view message) override { give_up(std::string(message)); }
    Result<void> agent_suspended(std::string_view why) override;
    void agent_gone(const Error&) override {} // with its device

    EventLoop& loop_;
    Container container_;
    Rehearsal rehearsal_;
    std::optional<QemuMachine> machine_;
    AgentConnector connector_;
    std::optional<AgentSession> session_;
    unsigned rounds_ = 0; // in which it stood still
    Fd process_;
    Fd memory_;
    Timer turn_; // not in a call of what goes
    Timer limit_;
};

} // namespace hrun::monitor
