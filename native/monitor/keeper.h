// SPDX-License-Identifier: Apache-2.0
// The process that the CLI starts. It holds the container's lock, starts the monitor in its jail and waits for its end: it
// does what the jail forbids, and tells the truth about a monitor that could not. It never reads a byte that a guest or a
// client has written; of the monitor it takes KeeperMessages alone, and what lies in the container's directory may be a trap.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/fd.h"
#include "jail/cgroup.h"
#include "monitor/connections.h"
#include "monitor/container.h"
#include "monitor/event_journal.h"
#include "monitor/pool_place.h"
#include "monitor/probe_journal.h"

namespace hrun::monitor {

class Keeper {
  public:
    // Runs in the jailed process until its VM is gone, or its wait is over; returns its exit code.
    using Monitor = std::function<int(Container container, Fd first_client)>;
    // kService: there is no container's state to be kept, and no network (docs/monitor.md). kTemplate: there will be no container. kPool: there is
    // none yet (docs/pool.md).
    enum class Role { kContainer, kService, kTemplate, kPool };

    Keeper(Container container, Role role) : container_(std::move(container)), role_(role) {}

    // Runs `monitor`, and as long as the container's restart policy wants another run, `wait` and it again. Returns the
    // process's exit code when all is over. Called once, by a process of one thread.
    int run(Fd first_client, const Monitor& monitor, const Monitor& wait);
    // The same in a pool: runs `waiting` until a container comes, which is then its own, or `monitor`'s if it cannot be.
    int run_in_pool(const Monitor& waiting, const Monitor& monitor, const Monitor& wait);
    // The same of a machine that is started while its container is being made, by whoever is at the other end of `client`.
    int run_ahead(Fd client, const Monitor& waiting, const Monitor& monitor, const Monitor& wait);

  private:
    Result<void> prepare();
    int live(Result<void> done, const Monitor& monitor, const Monitor& wait);
    Result<void> wait_for_container(const Monitor& waiting);
    Result<PoolPlace::News> watch_place(PoolPlace& place);
    Result<void> start_waiting(const Monitor& waiting);
    void give_up_waiting(const Error& error);
    Result<void> await_container();
    Result<void> watch_ahead(bool for_client, std::chrono::steady_clock::time_point deadline);
    Result<void> take_begun();
    Result<void> take_container(std::string path);
    bool can_be_handed_over(const Config& machine) const;
    Result<void> hand_over();
    void end_waiting();
    Result<void> run_monitor(const Monitor& monitor);
    Result<void> see_through();
    Result<void> run_wait(const Monitor& wait);
    void start_share();
    void open_template();
    void open_checkpoint();
    Result<void> take_checkpoint(const std::string& path);
    void keep_restored_disk();
    void join_host();
    void boot_instead(bool spoilt);
    void give_up_template();
    Result<void> start(const Monitor& monitor);
    int become_monitor(const Monitor& monitor, pid_t keeper, Fd link, std::optional<Error> refused);
    void create_cgroup();
    Result<void> watch();
    void take_signal();
    void pass_stop_on();
    bool take_message();
    void answer(const KeeperMessage& message);
    void announce();
    uint32_t note_end(uint32_t argument);
    void renew_restart_policy();
    void renew_guest_limits();
    void renew_networks();
    void follow_networks();
    void record(const std::string& action, const std::map<std::string, std::string>& attributes = {});
    void note_violation(uint32_t number);
    void let_go();
    void collect();
    void write_last_state(const std::string& why);

    Container container_;
    Role role_;
    EventJournal journal_{container_.path, container_.config.id};
    std::optional<ProbeJournal> probes_; // of a run whose container is probed
    Fd first_client_;
    Fd signals_;
    Fd link_;
    Fd monitor_; // pidfd
    pid_t monitor_pid_ = 0;
    std::optional<jail::Cgroup> cgroup_;
    std::optional<ShareDaemon> share_; // lives as long as a run
    Connections connections_;          // the same
    Restarts restarts_{container_.config.restart};
    std::optional<std::chrono::milliseconds> next_run_; // after this wait
    std::string started_at_;                            // of the container's process; empty: it did not run
    bool announced_ = false;                            // that it runs
    std::chrono::steady_clock::time_point started_;
    std::optional<uint32_t> exit_code_; // of the container's process
    std::string violation_;
    bool restored_disk_ = false; // of a checkpoint, which has not got its name yet
    bool thaws_ = false;         // its template has a process
    bool boots_instead_ = false; // of what a template should have spared it
    bool ready_ = false;         // a machine that waits
    bool handed_over_ = false;   // to a machine that has waited, and no other has been tried
    bool finished_ = false;      // the monitor, or the wait, has come to its proper end
    bool waited_ = false;
    bool stopping_ = false; // by SIGTERM: nothing is to run any more
};

} // namespace hrun::monitor
