// SPDX-License-Identifier: Apache-2.0
#include "monitor/qemu_machine.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/passed_descriptors.h"
#include "base/unix_socket.h"
#include "devices/virtio/net_tap.h"
#include "memory/memory_file.h"
#include "monitor/disk_file.h"
#include "protocol.h"

namespace hrun::monitor {

namespace {

// Those of ours, of what the driver of the guest's kernel agrees to with QEMU.
constexpr uint64_t kNicOffloads = virtio::kNetGuestCsum | virtio::kNetGuestTso4 | virtio::kNetGuestTso6;
constexpr unsigned kFirstThawedVsock = 100; // names of its own: the process has had others
constexpr unsigned kCloseAttempts = 200;
constexpr std::chrono::milliseconds kClosePause{10};

std::vector<int> numbers_of(const std::vector<Fd>& fds) {
    std::vector<int> numbers;
    for (const Fd& fd : fds)
        numbers.push_back(fd.get());
    return numbers;
}

} // namespace

QemuMachine::QemuMachine(EventLoop& loop, Container& container, MachineEvents& events, bool rehearses)
    : loop_(loop), container_(container), config_(container.config), events_(&events), rehearses_(rehearses),
      own_disks_(container.config.disks), hybrid_(loop, kContainerDirectory, "vsock.sock"),
      vsock_(loop, container.config.vsock_cid,
             [this](uint32_t port) { return hybrid_.accept_from_guest(port); }),
      process_(loop, container,
               {[this](const qemu::Event& event) { handle_event(event); },
                [this] { events_->machine_failed(HRUN_ERROR_VM, process_.why_gone()); },
                {},
                [this] { events_->machine_gone(); }}) {}

Result<void> QemuMachine::start() {
    HRUN_TRY(check_files());
    container_.keeper->tell(KeeperRequest::kPlace);
    HRUN_TRY(hybrid_.listen(vsock_));
    if (role() == qemu::Role::kThawed)
        return thaw();
    auto vhost = unix_pair();
    if (!vhost)
        return vhost.error();
    HRUN_TRY(start_vsock(std::move(vhost->first)));
    HandedOver fds;
    auto config = process_.prepare(role(), fds);
    if (!config)
        return config.error();
    config->vsock_fd = fds.add(std::move(vhost->second));
    HRUN_TRY(hand_over_disks(*config, fds));
    HRUN_TRY(hand_over_share(*config, fds));
    hand_over_nics(*config, fds);
    auto memory = make_memory(fds);
    if (!memory)
        return memory.error();
    config->memory = process_.path_of(*memory);
    if (rehearses_)
        HRUN_TRY(prepare_freezing(fds));
    machine_ = std::move(*config);
    container_.keeper->await(); // kPlace: QEMU is born in the VM's control group
    return container_.origin ? spawn_copy(fds) : process_.spawn(machine_, fds);
}

// A process that was saved has its files at numbers that do not change: what follows is what a machine has that rehearses, in the same order,
// but for the image in the place of the vsock device's socket. What is the container's own comes over QMP, before the machine runs.
Result<void> QemuMachine::thaw() {
    HandedOver fds;
    auto config = process_.prepare(qemu::Role::kThawed, fds);
    if (!config)
        return config.error();
    const int image = fds.add(std::move(container_.origin->process));
    HRUN_TRY(hand_over_prepared_nic(*config, fds));
    auto memory = make_memory(fds);
    if (!memory)
        return memory.error();
    std::vector<Fd> sockets;
    auto vhost = unix_pair();
    if (!vhost)
        return vhost.error();
    HRUN_TRY(start_vsock(std::move(vhost->first)));
    sockets.push_back(std::move(vhost->second));
    if (container_.shared) {
        HRUN_TRY(watch_share());
        config->share_slot = config_.share->slot;
        sockets.push_back(std::move(container_.shared->machine));
    }
    machine_ = std::move(*config);
    machine_.vsock = kFirstThawedVsock;
    container_.keeper->await(); // kPlace
    HRUN_TRY(process_.thaw(image, *memory, fds));
    HRUN_TRY(container_.origin->copy_memory(container_.origin->process_memory.get(), memory_.get(),
                                            container_.origin->memory_bytes));
    return tell_thawed(std::move(sockets));
}

Result<void> QemuMachine::tell_thawed(std::vector<Fd> sockets) {
    restoring_ = true;
    const auto failed = [this](const Result<void>& taken) {
        if (!taken)
            events_->machine_failed(HRUN_ERROR_HOST, taken.error().message());
    };
    put_in(container_, failed);
    const std::vector<int> numbers = numbers_of(sockets);
    return process_.qmp().ask(
        qemu::thaw_commands(machine_), [this](const Result<void>& done) { thawed(done); }, numbers);
}

void QemuMachine::thawed(const Result<void>& done) {
    restoring_ = false;
    if (!done)
        return events_->machine_failed(HRUN_ERROR_VM,
                                       "the template cannot be used: " + done.error().message());
    if (const auto taking = std::exchange(once_restored_, nullptr))
        taking();
}

qemu::Role QemuMachine::role() const {
    if (rehearses_)
        return qemu::Role::kRehearsing;
    if (!container_.origin)
        return qemu::Role::kBooted;
    const auto is_passt = [](const NicConfig& nic) { return nic.passt.has_value(); };
    const bool thaws = container_.origin->process.valid() && container_.jail->own_mounts() &&
                       std::none_of(config_.nics.begin(), config_.nics.end(), is_passt);
    return thaws ? qemu::Role::kThawed : qemu::Role::kCopy;
}

Result<void> QemuMachine::check_files() const {
    const MachineFiles& files = container_.files;
    for (const auto* file : {&files.kernel, &files.initrd})
        if (!*file)
            return file->error();
    for (const auto& disk : files.disks)
        if (!disk)
            return disk.error();
    for (const Nic& nic : container_.nics)
        if (!nic.backend)
            return nic.backend.error();
    return container_.shared && container_.shared->failed ? Result<void>(*container_.shared->failed)
                                                          : Result<void>();
}

Result<void> QemuMachine::start_vsock(Fd socket) {
    backend_ =
        std::make_unique<vhost_user::Backend>(loop_, vsock_, std::move(socket), [this](const Error& error) {
            if (error.code != ECONNRESET) // that is QEMU's end, of which the process itself tells
                events_->machine_failed(HRUN_ERROR_VM, error.message());
        });
    return backend_->start();
}

Result<void> QemuMachine::hand_over_disks(qemu::Config& config, HandedOver& fds) {
    for (size_t i = 0; i < config_.disks.size(); ++i)
        config.disks.push_back({config_.disks[i].slot, fds.add(std::move(*container_.files.disks[i])),
                                config_.disks[i].read_only});
    return {};
}

Result<void> QemuMachine::hand_over_share(qemu::Config& config, HandedOver& fds) {
    if (!container_.shared)
        return {};
    HRUN_TRY(watch_share());
    config.share_slot = config_.share->slot;
    config.share_fd = fds.add(std::move(container_.shared->machine));
    return {};
}

void QemuMachine::hand_over_nics(qemu::Config& config, HandedOver& fds) {
    for (Nic& nic : container_.nics) {
        if (!nic.config.passt)
            for (const Fd& tap : *nic.backend)
                taps_[nic.config.slot].push_back(Fd(fcntl(tap.get(), F_DUPFD_CLOEXEC, 0)));
        config.nics.push_back(qemu_nic(std::move(nic), fds));
    }
}

// The interface that a process that was saved has open is the container's first one. QEMU has told the template's tap what the guest's driver has
// agreed to, and does not tell this one.
Result<void> QemuMachine::hand_over_prepared_nic(qemu::Config& config, HandedOver& fds) {
    if (!container_.origin->nic)
        return {};
    const auto prepared = std::find_if(container_.nics.begin(), container_.nics.end(),
                                       [](const Nic& nic) { return nic.config.slot == qemu::kPreparedNic; });
    if (prepared == container_.nics.end())
        return Error{ENOENT, "use a template that has an interface"};
    for (const Fd& tap : *prepared->backend) {
        HRUN_TRY(virtio::NetTap::set_up(tap.get(), kNicOffloads));
        taps_[qemu::kPreparedNic].push_back(Fd(fcntl(tap.get(), F_DUPFD_CLOEXEC, 0)));
    }
    config.nics.push_back(qemu_nic(std::move(*prepared), fds));
    container_.nics.erase(prepared);
    return {};
}

// A file of ours, for QEMU and for checkpoints; sealed, for the vhost-user back end insists on that.
Result<int> QemuMachine::make_memory(HandedOver& fds) {
    auto memory = create_memory_file("guest", config_.memory_mib << 20);
    if (!memory)
        return memory.error();
    memory_.reset(fcntl(memory->get(), F_DUPFD_CLOEXEC, 0));
    if (!memory_.valid())
        return Error::last("keep the guest's memory");
    return fds.add(std::move(*memory));
}

Result<void> QemuMachine::prepare_freezing(HandedOver& fds) {
    auto pair = unix_pair();
    if (!pair)
        return pair.error();
    freezer_ = std::move(pair->first);
    process_.prepare_freezing(fds.add(std::move(pair->second)));
    return {};
}

// The memory is copied while QEMU starts.
Result<void> QemuMachine::spawn_copy(const HandedOver& fds) {
    HRUN_TRY(process_.spawn(machine_, fds));
    HRUN_TRY(container_.origin->copy_memory(container_.origin->memory.get(), memory_.get(),
                                            container_.origin->memory_bytes));
    restoring_ = true;
    return process_.qmp().restore(container_.origin->state.get());
}

// The daemon is the keeper's child: all that is known here is that it is gone.
Result<void> QemuMachine::watch_share() {
    auto watch = loop_.watch(container_.shared->daemon.get(), EPOLLIN, [this](uint32_t) {
        share_ended_.reset();
        if (running())
            events_->machine_failed(HRUN_ERROR_HOST, kShareDaemonEnded);
    });
    if (!watch)
        return watch.error();
    share_ended_ = std::move(*watch);
    return {};
}

void QemuMachine::handle_event(const qemu::Event& event) {
    switch (event.kind) {
    case qemu::Event::Kind::kDiskError:
        return handle_disk_error(event);
    case qemu::Event::Kind::kRefused:
        if (restoring_)
            return events_->machine_failed(
                HRUN_ERROR_VM, std::string(container_.checkpoint ? "the checkpoint" : "the template") +
                                   " cannot be used: QEMU says: " + event.detail);
        return saved(Error{EIO, "QEMU says: " + event.detail});
    case qemu::Event::Kind::kCompleted:
        return std::exchange(restoring_, false) ? restored() : saved({});
    case qemu::Event::Kind::kShutdown:
        return;
    }
}

// The copy of a template runs already; a machine that was saved stands still as it did then.
void QemuMachine::restored() {
    std::vector<std::string> commands = qemu::plug_commands(machine_);
    if (container_.checkpoint)
        commands.emplace_back(qemu::kRunCommand);
    if (auto plugged = process_.qmp().carry_out(commands); !plugged)
        return events_->machine_failed(HRUN_ERROR_VM, plugged.error().message());
    if (const auto taking = std::exchange(once_restored_, nullptr))
        taking();
}

void QemuMachine::saved(const Result<void>& done) {
    if (const Done told = std::exchange(saved_, nullptr))
        told(done);
}

Result<void> QemuMachine::can_be_saved() const {
    if (config_.share)
        return Error{ENOTSUP, "directories of the host are mounted in it"};
    return config_.keeps_data() ? Result<void>(Error{ENOTSUP, "volumes are mounted in it"}) : Result<void>();
}

// QEMU stops writing to its disks when it stops.
void QemuMachine::save(Fd state, Done done) {
    saved_ = std::move(done);
    const auto file = std::make_shared<Fd>(std::move(state)); // for std::function's sake
    const auto asked =
        process_.qmp().ask(qemu::suspend_commands(machine_), [this, file](const Result<void>& suspended) {
            const auto begun = suspended ? process_.qmp().save(file->get()) : suspended;
            if (!begun)
                saved(begun);
        });
    if (!asked)
        saved(asked);
}

void QemuMachine::go_on(Done done) {
    auto vhost = unix_pair();
    if (!vhost)
        return done(vhost.error());
    if (auto started = start_vsock(std::move(vhost->first)); !started)
        return done(started);
    ++machine_.vsock;
    const auto asked = process_.qmp().ask(qemu::resume_commands(machine_),
                                          [this, done](const Result<void>& resumed) {
                                              forget_vsock(machine_.vsock - 1, 1, [](const Result<void>&) {});
                                              done(resumed);
                                          },
                                          {{vhost->second.get()}});
    if (!asked)
        done(asked);
}

void QemuMachine::suspend(Done done) {
    if (auto asked = process_.qmp().ask(qemu::suspend_commands(machine_), done); !asked)
        done(asked);
}

void QemuMachine::freeze(int process, Done done) {
    frozen_done_ = std::move(done);
    forget_vsock(machine_.vsock, 1, [this, process](const Result<void>& forgotten) {
        if (auto begun = forgotten ? ask_to_freeze(process) : forgotten; !begun)
            frozen(begun);
    });
}

// The device, whose end was asked for, has its socket until QEMU's other thread has destroyed it.
void QemuMachine::forget_vsock(unsigned number, unsigned attempt, Done done) {
    const auto asked = process_.qmp().ask(
        qemu::forget_vsock_commands(number), [this, number, attempt, done](const Result<void>& forgotten) {
            if (forgotten || attempt == kCloseAttempts)
                return done(forgotten);
            leaving_[number] =
                loop_.after(kClosePause, [=, this] { forget_vsock(number, attempt + 1, done); });
        });
    if (!asked)
        done(asked);
}

Result<void> QemuMachine::ask_to_freeze(int process) {
    auto watch = loop_.watch(freezer_.get(), EPOLLIN, [this](uint32_t) { receive_frozen(); });
    if (!watch)
        return watch.error();
    frozen_ = std::move(*watch);
    char word = 'f';
    const iovec bytes{&word, 1};
    return send_passing(freezer_.get(), {&bytes, 1}, {&process, 1}, MSG_DONTWAIT);
}

// One line: nothing, or why not.
void QemuMachine::receive_frozen() {
    char line[256];
    const ssize_t size = recv(freezer_.get(), line, sizeof line, MSG_DONTWAIT);
    frozen_.reset();
    if (size <= 0)
        return frozen(Error{ECONNRESET, "save QEMU's process"});
    const std::string why(line, static_cast<size_t>(size) - 1);
    frozen(why.empty() ? Result<void>() : Error{EIO, "QEMU's process cannot be saved: " + why});
}

void QemuMachine::frozen(const Result<void>& done) {
    if (const Done told = std::exchange(frozen_done_, nullptr))
        told(done);
}

// One command after the other; `done` hears of the last, or of what was wrong first. QEMU takes no device while it gets its state.
void QemuMachine::take_in(Container& container, Done done) {
    if (restoring_) {
        once_restored_ = [this, &container, done] { take_in(container, done); };
        return;
    }
    put_in(container, done);
}

void QemuMachine::put_in(Container& container, const Done& done) {
    std::vector<Nic> nics = std::exchange(container.nics, {});
    std::erase_if(nics, [this](const Nic& nic) { return has_nic(nic.config.slot); });
    struct Taking {
        size_t left;
        Result<void> result;
    };
    const auto taking = std::make_shared<Taking>(Taking{container.config.disks.size() + nics.size(), {}});
    if (taking->left == 0)
        return done({});
    const Done one = [taking, done](const Result<void>& taken) {
        if (!taken && taking->result)
            taking->result = taken;
        if (--taking->left == 0)
            done(taking->result);
    };
    own_disks_ = container.config.disks;
    for (size_t i = 0; i < own_disks_.size(); ++i) {
        const Fd file = std::move(*container.files.disks[i]);
        const qemu::Disk disk{own_disks_[i].slot, -1, own_disks_[i].read_only};
        ask_to_plug(qemu::is_prepared(disk.slot) ? qemu::fill_disk_commands(disk)
                                                 : qemu::plug_disk_commands(disk, true),
                    {{file.get()}}, one);
    }
    for (Nic& nic : nics) {
        const std::vector<int> fds = numbers_of(*nic.backend);
        taps_[nic.config.slot] = std::move(*nic.backend);
        ask_to_plug(qemu::plug_nic_commands({nic.config.slot, fds, nic.config.mac, nic.config.mtu}), fds,
                    one);
    }
}

// One that the machine has been started with is its container's once the keeper has connected it.
bool QemuMachine::has_nic(unsigned slot) const {
    return std::any_of(machine_.nics.begin(), machine_.nics.end(),
                       [slot](const qemu::Nic& nic) { return nic.slot == slot; });
}

void QemuMachine::ask_to_plug(const std::vector<std::string>& commands, std::span<const int> fds,
                              const Done& done) {
    if (auto asked = process_.qmp().ask(commands, done, fds); !asked)
        done(asked);
}

// Of a disk of its own the machine has stopped. One that it was given is known by its slot alone.
void QemuMachine::handle_disk_error(const qemu::Event& event) {
    for (const DiskConfig& disk : own_disks_)
        if (event.detail == qemu::disk_node(disk.slot))
            return events_->machine_failed(HRUN_ERROR_HOST, disk_failure(disk.path, event.no_space));
    for (unsigned slot = 0; slot < qemu::kSlots; ++slot)
        if (event.detail == qemu::disk_node(slot))
            return events_->machine_disk_failed(slot, event.no_space);
}

void QemuMachine::plug_nic(const PluggedNic& nic, std::vector<Fd> taps, Done done) {
    const std::vector<int> fds = numbers_of(taps);
    taps_[nic.slot] = std::move(taps);
    const auto asked = process_.qmp().ask(
        qemu::plug_nic_commands({nic.slot, fds, nic.mac, nic.mtu}),
        [this, slot = nic.slot, done](const Result<void>& plugged) {
            if (plugged)
                return done(plugged);
            unplug_nic(slot, [](const Result<void>&) {}); // what of it is there goes
            done(plugged);
        },
        fds);
    if (!asked)
        done(asked);
}

void QemuMachine::unplug_nic(unsigned slot, Done done) {
    const auto asked =
        process_.qmp().ask(qemu::unplug_nic_commands(slot), [this, slot, done](const Result<void>& gone) {
            taps_.erase(slot);
            done(gone);
        });
    if (!asked)
        done(asked);
}

void QemuMachine::plug_disk(unsigned slot, bool read_only, Fd file, Done done) {
    const auto asked =
        process_.qmp().ask(qemu::plug_disk_commands({slot, -1, read_only}, false),
                           [this, slot, done](const Result<void>& plugged) {
                               if (plugged)
                                   done(plugged);
                               else // what of it is there goes
                                   unplug_disk(slot, [done, plugged](const Result<void>&) { done(plugged); });
                           },
                           {{file.get()}});
    if (!asked)
        done(asked);
}

void QemuMachine::unplug_disk(unsigned slot, Done done) {
    const auto asked =
        process_.qmp().ask(qemu::unplug_disk_commands(slot),
                           [this, slot, done](const Result<void>&) { close_disk(slot, 1, done); });
    if (!asked)
        done(asked);
}

// The device, whose end was asked for, has its file open until QEMU's other thread has destroyed it.
void QemuMachine::close_disk(unsigned slot, unsigned attempt, Done done) {
    const auto asked = process_.qmp().ask(
        qemu::close_disk_commands(slot), [this, slot, attempt, done](const Result<void>& closed) {
            if (!closed && attempt < kCloseAttempts) {
                closing_[slot] = loop_.after(kClosePause, [=, this] { close_disk(slot, attempt + 1, done); });
                return;
            }
            (void)process_.qmp().ask(qemu::forget_disk_commands(slot),
                                     [done, closed](const Result<void>&) { done(closed); });
        });
    if (!asked)
        done(asked);
}

} // namespace hrun::monitor
