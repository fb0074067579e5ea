// SPDX-License-Identifier: Apache-2.0
// The keeper of a machine that waits, until it has a container: docs/pool.md.
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "monitor/hand_over.h"
#include "monitor/keeper.h"
#include "monitor/priority.h"

namespace hrun::monitor {

namespace {

bool all_open(const std::vector<Result<Fd>>& files) {
    for (const Result<Fd>& file : files)
        if (!file)
            return false;
    return true;
}

} // namespace

int Keeper::run_in_pool(const Monitor& waiting, const Monitor& monitor, const Monitor& wait) {
    auto done = prepare();
    if (done)
        done = wait_for_container(waiting);
    if (done)
        return live(std::move(done), monitor, wait);
    give_up_waiting(done.error());
    return 1;
}

// A copy of the template that has no container yet.
Result<void> Keeper::start_waiting(const Monitor& waiting) {
    open_template();
    if (!container_.origin)
        return Error{ENOENT, "use the machine's template"};
    connections_.open_unconnected(container_);
    HRUN_TRY(start(waiting));
    container_.origin.reset();
    container_.files = {};
    create_cgroup();
    return {};
}

void Keeper::give_up_waiting(const Error& error) {
    end_waiting();
    dprintf(STDERR_FILENO, "hrun-vmm: %s\n", error.message().c_str());
    if (cgroup_)
        cgroup_->remove();
}

// An error when no container has come.
Result<void> Keeper::wait_for_container(const Monitor& waiting) {
    auto place = PoolPlace::watch(container_.directory.get(), container_.lock.get(), container_.control.get(),
                                  container_.path);
    if (!place)
        return place.error();
    lower_priority();
    HRUN_TRY(start_waiting(waiting));
    auto news = watch_place(*place);
    if (news && *news == PoolPlace::News::kContainer) {
        auto path = place->path();
        if (!path)
            return path.error();
        first_client_ = place->take_client();
        return take_container(std::move(*path));
    }
    if (place->is_open() && !place->is_moved()) {
        std::error_code ignored;
        std::filesystem::remove_all(container_.path, ignored);
    }
    return news ? Error{ECANCELED, "wait for a container"} : news.error();
}

Result<PoolPlace::News> Keeper::watch_place(PoolPlace& place) {
    for (;;) {
        pollfd sources[] = {{link_.get(), POLLIN, 0},
                            {signals_.get(), POLLIN, 0},
                            {monitor_.get(), POLLIN, 0},
                            place.changes(),
                            place.visitor()};
        if (poll(sources, std::size(sources), place.timeout_ms()) < 0 && errno != EINTR)
            return Error::last("wait for a container");
        if (sources[2].revents)
            return PoolPlace::News::kOver;
        if (sources[0].revents)
            take_message();
        if (sources[1].revents)
            take_signal();
        if (std::exchange(ready_, false)) {
            restore_priority(monitor_pid_);
            HRUN_TRY(place.open());
            container_.path = *place.path();
        }
        if (const auto news = place.look(); news != PoolPlace::News::kNone)
            return news;
    }
}

// Whatever is not as the machine expects it, and whatever is wrong with the container, is for a monitor of its own to tell.
Result<void> Keeper::take_container(std::string path) {
    const Config machine = container_.config;
    if (auto mistake = read_settings(container_.directory.get(), container_))
        return Error{EINVAL, "use " + path + ": " + *mistake};
    container_.path = std::move(path);
    container_.files = open_machine_files(container_.config);
    role_ = Role::kContainer;
    journal_ = EventJournal(container_.path, container_.config.id);
    restarts_ = Restarts(container_.config.restart);
    if (monitor_.valid() && can_be_handed_over(machine)) {
        connections_.open(container_);
        const auto handed = hand_over();
        container_.nics.clear();
        if (handed)
            return {};
        connections_.close();
    }
    end_waiting();
    return {};
}

bool Keeper::can_be_handed_over(const Config& machine) const {
    const Config& wanted = container_.config;
    const auto is_wanted = [&wanted](const NicConfig& own) {
        return std::any_of(wanted.nics.begin(), wanted.nics.end(), [&own](const NicConfig& nic) {
            return nic.slot == own.slot && nic.tap == own.tap && !nic.bridge.empty();
        });
    };
    for (const NicConfig& nic : wanted.nics)
        if (nic.passt)
            return false;
    return std::all_of(machine.nics.begin(), machine.nics.end(), is_wanted) && wanted.id == machine.id &&
           wanted.engine == machine.engine && wanted.qemu_binary == machine.qemu_binary &&
           wanted.accel == machine.accel && wanted.kernel == machine.kernel &&
           wanted.initrd == machine.initrd && wanted.vcpus == machine.vcpus &&
           wanted.memory_mib == machine.memory_mib && wanted.vsock_slot == machine.vsock_slot &&
           wanted.vsock_cid == machine.vsock_cid && wanted.rng_slot == machine.rng_slot &&
           wanted.balloon_slot == machine.balloon_slot && !wanted.share && !wanted.host &&
           !wanted.disks.empty() && all_open(container_.files.disks);
}

Result<void> Keeper::hand_over() {
    HandOverRequest request{container_.path, container_.control.get(), first_client_.get(), {}, {}};
    for (Result<Fd>& disk : container_.files.disks)
        request.disks.push_back(disk->get());
    for (Nic& nic : container_.nics) {
        if (!nic.backend)
            return nic.backend.error();
        for (const Fd& fd : *nic.backend)
            request.nics.push_back(fd.get());
    }
    if (!container_.refusal.empty() || stopping_)
        return Error{ECANCELED, "hand the container over"};
    const std::string missing =
        jail::Cgroup::limit(container_.config.id, monitor_pid_, container_.config.resources);
    if (cgroup_ && !missing.empty())
        dprintf(STDERR_FILENO, "hrun-vmm: this host cannot limit the VM's %s\n", missing.c_str());
    HRUN_TRY(send_hand_over(link_.get(), std::move(request)));
    handed_over_ = true;
    return {};
}

void Keeper::end_waiting() {
    if (!monitor_.valid())
        return;
    syscall(SYS_pidfd_send_signal, monitor_.get(), SIGKILL, nullptr, 0);
    while (waitpid(monitor_pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    monitor_.reset();
    link_.reset();
    container_.nics.clear(); // or the next machine could not have interfaces of their names
    boots_instead_ = false;  // whoever follows knows by itself what has come of the template
}

} // namespace hrun::monitor
