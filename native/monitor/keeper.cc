// SPDX-License-Identifier: Apache-2.0
#include "monitor/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/file_lock.h"
#include "base/sparse_file.h"
#include "base/unix_socket.h"
#include "jail/namespaces.h"
#include "jail/violation.h"
#include "monitor/checkpoint_files.h"
#include "monitor/clock.h"
#include "monitor/control_server.h"
#include "monitor/join_request.h"
#include "monitor/signals.h"
#include "monitor/start_payload.h"
#include "monitor/state_file.h"
#include "protocol.h"
#include "qemu/command_line.h"

namespace hrun::monitor {

namespace {

constexpr char kDisk[] = "writable.ext4";
constexpr char kRestoredDisk[] = "writable.ext4.restored";
constexpr uint32_t kDone = 1;
constexpr uint32_t kKilled = 128 + SIGKILL;
constexpr uint32_t kNotRun = 125;

void say(const std::string& what) {
    dprintf(STDERR_FILENO, "hrun-vmm: %s\n", what.c_str());
}

// That a template could have had.
bool has_prepared_nic(const Config& config) {
    return std::any_of(config.nics.begin(), config.nics.end(),
                       [](const NicConfig& nic) { return nic.slot == qemu::kPreparedNic && !nic.passt; });
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return "the monitor was killed for a system call that it may not use";
    if (WIFSIGNALED(status))
        return "the VM's monitor was killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
               sigdescr_np(WTERMSIG(status)) + ")";
    return "the VM's monitor ended with exit code " + std::to_string(WEXITSTATUS(status));
}

} // namespace

int Keeper::run(Fd first_client, const Monitor& monitor, const Monitor& wait) {
    first_client_ = std::move(first_client);
    return live(prepare(), monitor, wait);
}

int Keeper::live(Result<void> done, const Monitor& monitor, const Monitor& wait) {
    do {
        if (done)
            done = handed_over_ ? see_through() : run_monitor(monitor);
        while (done && std::exchange(boots_instead_, false))
            done = run_monitor(monitor);
        first_client_.reset(); // a client that saw the monitor's end comes to a directory that tells of it
        if (done && next_run_)
            done = run_wait(wait);
    } while (done && waited_);
    if (!done)
        say(done.error().message());
    if (cgroup_)
        cgroup_->remove();
    return done && finished_ ? 0 : 1;
}

// The control socket is one for all runs: who connects between two of them waits for the next that serves it.
Result<void> Keeper::prepare() {
    auto signals = watch_signals();
    if (!signals)
        return signals.error();
    signals_ = std::move(*signals);
    auto control = listen_unix(container_.directory.get(), ControlServer::kName);
    if (!control)
        return control.error();
    container_.control = std::move(*control);
    return {};
}

Result<void> Keeper::run_monitor(const Monitor& monitor) {
    waited_ = false;
    started_at_.clear();
    announced_ = false;
    probes_.reset();
    exit_code_.reset();
    container_.restart_count = restarts_.count();
    if (container_.restart_count > 0)
        renew_guest_limits();
    start_share();
    open_template();
    if (role_ == Role::kContainer) {
        connections_.open(container_);
        join_host();
        open_checkpoint();
    } else if (role_ == Role::kTemplate) {
        connections_.open_hidden(container_);
    }
    if (!container_.refusal.empty())
        container_.origin.reset(); // its template is not to blame
    HRUN_TRY(start(monitor));
    container_.shared.reset();
    container_.origin.reset();
    container_.nics.clear(); // the machine's alone: they are to go with it
    container_.host.reset();
    if (!cgroup_)
        create_cgroup();
    return see_through();
}

Result<void> Keeper::see_through() {
    connections_.forget_flows();
    HRUN_TRY(watch());
    collect();
    handed_over_ = false;
    if (std::exchange(restored_disk_, false)) // the container has not run: its disk is the one it had
        unlinkat(container_.directory.get(), kRestoredDisk, 0);
    share_.reset();
    if (!next_run_) {
        connections_.close();
        connections_.forget_flows();
        return {};
    }
    renew_networks();
    connections_.pause(container_);
    return {};
}

Result<void> Keeper::run_wait(const Monitor& wait) {
    container_.restart_wait = *std::exchange(next_run_, std::nullopt);
    do {
        waited_ = false;
        HRUN_TRY(start(wait));
        HRUN_TRY(watch());
        collect();
    } while (waited_ && stopping_); // told to stop when it was over: the next one is told at once
    return {};
}

// Outside of the jail, for it opens the host's directories. What is in the way is for the monitor to tell.
void Keeper::start_share() {
    if (!container_.config.share)
        return;
    share_.emplace();
    container_.shared.emplace(share_->start(container_.directory.get(), *container_.config.share));
}

// Anew for each run, for its state is read from the file's beginning. Without it the machine is booted.
void Keeper::open_template() {
    if (container_.template_path.empty())
        return;
    thaws_ = false;
    auto files = TemplateFiles::open(container_.template_path, container_.config.engine,
                                     container_.config.memory_mib << 20);
    if (!files) {
        say("booted, for its template is of no use: " + files.error().message());
        return give_up_template();
    }
    if (files->nic && !has_prepared_nic(container_.config))
        return say("booted, for its template has an interface"); // it has been disconnected since
    thaws_ = files->process.valid();
    container_.origin = std::move(*files);
}

// Once: whoever starts again after that boots. What is in the way is for the monitor to tell.
void Keeper::open_checkpoint() {
    const std::string path = std::exchange(container_.checkpoint_path, {});
    container_.checkpoint = !path.empty();
    if (path.empty() || !container_.refusal.empty())
        return;
    if (auto taken = take_checkpoint(path); !taken)
        container_.refusal = taken.error().message();
}

// The disk is copied, for the checkpoint stays. It is the container's once the container runs.
Result<void> Keeper::take_checkpoint(const std::string& path) {
    auto files = CheckpointFiles::open(path, container_.config.memory_mib << 20);
    if (!files)
        return files.error();
    const auto& disks = container_.config.disks;
    const auto own =
        std::find_if(disks.begin(), disks.end(), [](const DiskConfig& disk) { return !disk.read_only; });
    if (container_.config.engine != Engine::kQemu || container_.config.keeps_data() || own == disks.end())
        return Error{ENOTSUP, "this container cannot go on from a checkpoint"};
    unlinkat(container_.directory.get(), kRestoredDisk, 0);
    Fd disk(openat(container_.directory.get(), kRestoredDisk,
                   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!disk.valid())
        return Error::last("make the container's disk");
    restored_disk_ = true;
    if (auto copied = copy_sparse(files->disk.get(), disk.get()); !copied)
        return Error{copied.error().code, "make the container's disk"};
    if (fsync(disk.get()) < 0)
        return Error::last("make the container's disk");
    HRUN_TRY(lock_exclusively(disk.get(), {}));
    container_.files.disks[static_cast<size_t>(own - disks.begin())] = std::move(disk);
    container_.origin = TemplateFiles{std::move(files->state),
                                      std::move(files->memory),
                                      container_.config.memory_mib << 20,
                                      false,
                                      Fd(),
                                      Fd()};
    return {};
}

void Keeper::keep_restored_disk() {
    const int directory = container_.directory.get();
    if (!std::exchange(restored_disk_, false))
        return;
    if (renameat(directory, kRestoredDisk, directory, kDisk) < 0 || fsync(directory) < 0)
        say(Error::last("keep the container's disk").message());
}

// Outside of the jail, for it leads to another container's directory.
void Keeper::join_host() {
    if (!container_.config.host || !container_.refusal.empty())
        return;
    auto host = ask_to_join(*container_.config.host, container_.config.disks, container_.files.disks);
    if (host)
        container_.host = std::move(*host);
    else
        container_.refusal = host.error().what;
}

// Once a run, and not of a container that has run. A machine that has waited is no reason not to copy its template.
void Keeper::boot_instead(bool spoilt) {
    if (container_.template_path.empty() || !started_at_.empty() || boots_instead_)
        return;
    boots_instead_ = true;
    if (handed_over_)
        return;
    if (spoilt)
        give_up_template();
    else
        container_.template_path.clear();
}

// Nobody starts from it any more, and the next who would makes another. One that does not thaw is good for copies still.
void Keeper::give_up_template() {
    if (std::exchange(thaws_, false)) {
        unlink((container_.template_path + "/" + TemplateFiles::kProcess).c_str());
        return;
    }
    unlink((container_.template_path + "/" + TemplateFiles::kState).c_str());
    container_.template_path.clear();
}

Result<void> Keeper::start(const Monitor& monitor) {
    finished_ = false;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return Error::last("create the monitor's link");
    Fd ours(ends[0]), theirs(ends[1]);
    if (fchdir(container_.directory.get()) < 0)
        return Error::last("enter the container's directory");
    const pid_t keeper = getpid();
    std::optional<Error> refused;
    auto confined = jail::fork_into_namespaces();
    if (!confined)
        refused = confined.error();
    const pid_t pid = confined ? *confined : fork();
    if (pid < 0)
        return Error::last("start the monitor");
    if (pid == 0) {
        ours.reset();
        _exit(become_monitor(monitor, keeper, std::move(theirs), std::move(refused)));
    }
    monitor_pid_ = pid;
    link_ = std::move(ours);
    monitor_.reset(static_cast<int>(syscall(SYS_pidfd_open, monitor_pid_, 0)));
    if (!monitor_.valid())
        return Error::last("watch the monitor");
    if (stopping_)
        pass_stop_on();
    return {};
}

int Keeper::become_monitor(const Monitor& monitor, pid_t keeper, Fd link, std::optional<Error> refused) {
    const uid_t user = geteuid();
    signals_.reset();
    connections_.forget();
    container_.directory.reset();
    container_.keeper_pid = keeper;
    container_.keeper = std::make_unique<KeeperLink>(std::move(link));
    container_.jail = std::make_unique<Confinement>(std::move(refused), container_.keeper->fd());
    if (auto begun = container_.jail->begin(user, getegid(), container_.config.engine == Engine::kKvm);
        !begun) {
        say(begun.error().message());
        return 1;
    }
    return monitor(std::move(container_), std::move(first_client_));
}

void Keeper::create_cgroup() {
    auto group = jail::Cgroup::create(container_.config.id, container_.config.resources);
    if (!group)
        return say("the VM has no control group of its own: " + group.error().message());
    cgroup_ = std::move(*group);
    if (!cgroup_->missing().empty())
        say("this host cannot limit the VM's " + cgroup_->missing());
}

// Until the monitor is dead.
Result<void> Keeper::watch() {
    pollfd sources[] = {{link_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {monitor_.get(), POLLIN, 0}};
    for (;;) {
        if (poll(sources, std::size(sources), -1) < 0 && errno != EINTR)
            return Error::last("wait for the monitor");
        if (sources[0].revents && !take_message())
            sources[0].fd = -1;
        if (sources[1].revents)
            take_signal();
        if (sources[2].revents)
            return {};
    }
}

// Whoever serves the container now may be about to end: whoever follows is told, too.
void Keeper::take_signal() {
    signalfd_siginfo info;
    if (read(signals_.get(), &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo == SIGHUP)
        follow_networks();
    if (info.ssi_signo != SIGTERM)
        return;
    stopping_ = true;
    pass_stop_on();
}

void Keeper::pass_stop_on() {
    syscall(SYS_pidfd_send_signal, monitor_.get(), SIGTERM, nullptr, 0);
}

// False when there is none, nor will be.
bool Keeper::take_message() {
    KeeperMessage message;
    const ssize_t size = recv(link_.get(), &message, sizeof message, MSG_DONTWAIT);
    if (size == sizeof message)
        answer(message);
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

// What makes no sense is not answered.
void Keeper::answer(const KeeperMessage& message) {
    uint32_t done = kDone;
    switch (message.request) {
    case KeeperRequest::kPlace:
        if (cgroup_)
            if (auto placed = cgroup_->add(monitor_pid_); !placed)
                say("the VM has no control group of its own: " + placed.error().message());
        break;
    case KeeperRequest::kStarted:
        if (started_at_.empty()) {
            started_at_ = timestamp_now();
            started_ = std::chrono::steady_clock::now();
            keep_restored_disk();
            if (container_.config.health && role_ == Role::kContainer)
                probes_.emplace(journal_, *container_.config.health, start_command(container_.probe));
        }
        break;
    case KeeperRequest::kRunning:
        announce();
        break;
    case KeeperRequest::kEnded:
        done = note_end(message.argument);
        break;
    case KeeperRequest::kFinished:
        finished_ = true;
        if (!next_run_)
            let_go();
        break;
    case KeeperRequest::kBootInstead:
        boot_instead(message.argument != 0);
        break;
    case KeeperRequest::kWaited:
        finished_ = waited_ = true;
        break;
    case KeeperRequest::kViolation:
        note_violation(message.argument);
        break;
    case KeeperRequest::kWaiting:
        ready_ = role_ == Role::kPool;
        break;
    case KeeperRequest::kProbeBegun:
    case KeeperRequest::kProbeEnded:
    case KeeperRequest::kHealth:
        if (probes_)
            probes_->write(message);
        break;
    }
    if (is_answered(message.request))
        send(link_.get(), &done, sizeof done, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Once a run.
void Keeper::announce() {
    if (!started_at_.empty() && !std::exchange(announced_, true))
        record("start");
}

// Once a run: a monitor has no second say.
uint32_t Keeper::note_end(uint32_t argument) {
    if (!exit_code_ && !started_at_.empty() && role_ == Role::kContainer) {
        exit_code_ = argument & (kStaysEnded - 1);
        announce();
        if (argument & kOutOfMemory)
            record("oom");
        record("die", {{"exitCode", std::to_string(*exit_code_)}});
        renew_restart_policy();
        const auto duration = std::chrono::steady_clock::now() - started_;
        next_run_ = restarts_.after({*exit_code_, (argument & kStaysEnded) != 0,
                                     std::chrono::duration_cast<std::chrono::milliseconds>(duration)});
    }
    return next_run_ ? kRunAgain : kDone;
}

// A service has no events.
void Keeper::record(const std::string& action, const std::map<std::string, std::string>& attributes) {
    if (role_ == Role::kContainer)
        journal_.write(action, attributes);
}

void Keeper::note_violation(uint32_t number) {
    if (violation_.empty())
        violation_ =
            "the monitor was ended: it tried the forbidden system call " + jail::system_call_name(number);
    syscall(SYS_pidfd_send_signal, monitor_.get(), SIGKILL, nullptr, 0);
}

// The container is nobody's any more, and neither are its ports and names.
void Keeper::let_go() {
    connections_.close();
    container_.control.reset();
    if (container_.config.auto_remove && role_ == Role::kContainer) {
        // First the state: a directory without one is cleared away, whatever keeps the rest from going.
        unlinkat(container_.directory.get(), "state.json", 0);
        std::error_code ignored;
        std::filesystem::remove_all(container_.path, ignored);
        record("destroy");
    }
    container_.lock.reset();
}

// The monitor is dead; with it, as the first process of its namespace, all that it started.
void Keeper::collect() {
    int status = 0;
    while (waitpid(monitor_pid_, &status, 0) < 0 && errno == EINTR) {
    }
    while (take_message()) { // its last words
        pollfd more{link_.get(), POLLIN, 0};
        if (poll(&more, 1, 0) <= 0)
            break;
    }
    if (finished_ || boots_instead_)
        return;
    const std::string why = violation_.empty() ? how_it_ended(status) : violation_;
    say(why);
    if (violation_.empty()) // its guest gets no second chance
        note_end(kKilled);
    else
        next_run_.reset();
    if (role_ == Role::kContainer && !container_.config.auto_remove)
        write_last_state(why);
    unlinkat(container_.directory.get(), "vsock.sock", 0);
    if (next_run_)
        return;
    unlinkat(container_.directory.get(), ControlServer::kName, 0);
    let_go();
}

// A VM that dies takes its process with it, as SIGKILL would.
void Keeper::write_last_state(const std::string& why) {
    State state;
    state.status = next_run_ ? "restarting" : "exited";
    state.restart_count = restarts_.count();
    state.monitor_pid = getpid();
    state.started_at = started_at_;
    state.finished_at = timestamp_now();
    state.exit_code = started_at_.empty() ? kNotRun : exit_code_.value_or(kKilled);
    state.signal = state.exit_code == kKilled ? SIGKILL : 0;
    state.error = State::Failure{HRUN_ERROR_VM, why};
    if (auto written = write_state(container_.directory.get(), state); !written)
        say(written.error().message());
}

} // namespace hrun::monitor
