// SPDX-License-Identifier: Apache-2.0
// The life of one VM (docs/monitor.md): boots it, joins agent, log and clients, and ends it.
#pragma once

#include <signal.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "monitor/agent_connector.h"
#include "monitor/agent_session.h"
#include "monitor/checkpoint.h"
#include "monitor/client.h"
#include "monitor/config.h"
#include "monitor/container.h"
#include "monitor/control_server.h"
#include "monitor/health_check.h"
#include "monitor/log_file.h"
#include "monitor/machine.h"
#include "monitor/nic_changes.h"
#include "monitor/state_file.h"
#include "monitor/tenants.h"

namespace hrun::monitor {

class Vm : private AgentEvents, private ClientEvents, private MachineEvents {
  public:
    // `waiting`: a machine that runs, for this container to take; this process is in its jail already.
    Vm(EventLoop& loop, Container container, std::unique_ptr<Machine> waiting = nullptr);

    // Starts everything; `first_client` may be invalid. After an error nothing is left behind but the state, which tells it.
    void start(Fd first_client);
    // As a client's STOP.
    void stop(const hrun_stop& stop) { client_stop(stop); }
    uint32_t stop_signal() const { return config_.stop_signal; }

  private:
    enum class Phase { kStarting, kRunning, kPaused, kEnding, kGone };

    static constexpr hrun_exit kKilled{128 + SIGKILL, SIGKILL, 0}; // as a shell has it
    // From SIGKILL to the container's process to the end of the VM.
    static constexpr std::chrono::seconds kKillLimit{10};

    Result<void> start_parts();
    Result<void> start_machine();
    void connect_agent();
    Result<void> serve_clients();
    void limit_answer();
    void begin_session(Result<Fd> socket);

    void agent_connected() override;
    void agent_configured() override { reached(HRUN_STAGE_CONFIGURED); }
    void agent_started(uint32_t pid) override;
    Result<void> agent_output(uint8_t stream, std::string_view bytes) override;
    void agent_exit(const hrun_exit& exit) override;
    void agent_error(const hrun_error& error, std::string_view message) override;
    void agent_shutdown_done() override { machine_->kill(); }
    void agent_paused(bool paused) override;
    Result<void> agent_suspended(std::string_view why) override;
    Result<void> agent_awake(uint32_t pid) override;
    void agent_input_room() override { pass_input(); }
    void agent_gone(const Error& error) override;

    void client_attached(Client& client) override;
    void client_signal(uint32_t number) override;
    void client_resize(std::string_view rows_and_columns) override;
    void client_stop(const hrun_stop& stop) override;
    void client_pause(Client& client, bool paused) override;
    void client_plug(Client& client, const hrun_plug& plug, std::vector<Fd> descriptors) override;
    void client_unplug(Client& client, uint32_t slot) override;
    void client_joins(Client& client, JoinRequest request) override;
    void client_checkpoint(Client& client, Fd state) override;
    void client_release(Client& client, bool go_on) override { checkpoint_.release(client, go_on); }
    void client_ready() override;
    void client_gone(Client& client) override;

    void machine_gone() override;
    void machine_failed(uint32_t kind, std::string message) override { fail(kind, 0, std::move(message)); }
    void machine_disk_failed(unsigned slot, bool no_space) override { tenants_.disk_failed(slot, no_space); }

    void serve();
    void pass_output();
    void pass_input();
    void pass_input_of(Client& client);
    void flush_log();
    // While a checkpoint is made it does not.
    bool process_runs() const { return runs() && !checkpoint_.active(); }
    bool runs() const { return phase_ == Phase::kRunning || phase_ == Phase::kPaused; }
    std::string not_now() const;
    Checkpoint::Events checkpoint_events();
    void suspend_guest();
    void reconnect(Fd socket, bool go_on);
    Result<hrun_wake> wake_now() const;
    Result<void> wake(Fd socket);
    void tell_process();
    void schedule();
    void reached(hrun_stage stage, uint64_t time = 0);
    void broadcast(std::string_view frames);
    void boot_instead(const std::string& why, bool spoilt);
    void fail(uint32_t kind, uint32_t error_number, std::string message);
    void conclude(const hrun_exit& exit, std::string verdict);
    void end();
    void finish();
    bool runs_again();
    void leave_to_next_run();
    void save_state();
    void leave_when_told();

    EventLoop& loop_;
    Container container_;
    const Config& config_;
    State state_;
    Phase phase_ = Phase::kStarting;
    bool joins_;    // another container's machine: the clock is not its own to set
    bool takes_up_; // a machine that has waited
    std::unique_ptr<Machine> machine_;
    bool machine_started_ = false;
    bool unproven_; // the copy of a template, or a machine that has waited, whose agent has not answered yet
    Fd first_client_;
    ControlServer control_;
    NicChanges nic_changes_;
    Tenants tenants_;
    Checkpoint checkpoint_;
    AgentConnector connector_;
    AgentSession agent_;
    std::optional<HealthCheck> health_;
    std::optional<LogFile> log_;
    Outputs outputs_;
    bool wants_input_;
    bool input_ended_ = false;
    bool first_output_ = false;
    bool stays_ended_ = false;      // somebody has ended it: its restart policy does not count
    std::optional<uint32_t> pid_;   // of the container's process, once STARTED
    std::optional<hrun_exit> exit_; // how it ended, once that is known
    std::string verdict_;           // the frame that tells clients: EXIT or ERROR
    std::vector<uint32_t> signals_; // that came before the process did
    std::string size_;              // the last RESIZE before that
    std::optional<hrun_stop> stop_; // that came while a checkpoint was made
    std::string stages_;            // TRACE frames so far
    Timer turn_;
    Timer limit_;  // of the boot, later of the shutdown
    Timer killer_; // of a STOP
    Timer idle_;   // until no probe runs any more
};

} // namespace hrun::monitor
