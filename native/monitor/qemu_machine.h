// SPDX-License-Identifier: Apache-2.0
// The qemu engine: QEMU as a child, with our vsock device behind it; booted, or the copy of a template.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "devices/virtio/hybrid_vsock.h"
#include "monitor/machine.h"
#include "monitor/qemu_process.h"
#include "transport/vhost_user.h"

namespace hrun::monitor {

class QemuMachine : public Machine {
  public:
    // `rehearses`: to be frozen.
    QemuMachine(EventLoop& loop, Container& container, MachineEvents& events, bool rehearses = false);

    Result<void> start() override;
    Result<void> run() override { return {}; } // QEMU waits for our vsock device, which the event loop serves
    pid_t pid() const override { return process_.host_pid(); }
    bool running() const override { return process_.running(); }
    void kill() override { process_.kill(); }
    void close() override { hybrid_.close(); }
    std::string why_gone() const override { return process_.why_gone(); }
    Result<void> connect(uint32_t port, Fd socket, virtio::VsockConnection::Connected connected) override {
        return vsock_.connect(port, std::move(socket), std::move(connected));
    }
    void plug_nic(const PluggedNic& nic, std::vector<Fd> taps, Done done) override;
    void unplug_nic(unsigned slot, Done done) override;
    void plug_disk(unsigned slot, bool read_only, Fd file, Done done) override;
    void unplug_disk(unsigned slot, Done done) override;
    void report_to(MachineEvents& events) override { events_ = &events; }
    void take_in(Container& container, Done done) override;
    Result<void> can_be_saved() const override;
    void save(Fd state, Done done) override;
    int memory() const override { return memory_.get(); }
    void go_on(Done done) override;

    // Of a machine that was made to be frozen (docs/frozen.md), with its guest suspended: takes the vsock device away, and stops.
    void suspend(Done done);
    // Then writes QEMU's process to the file `process`, which stays the caller's. It does nothing more afterwards.
    void freeze(int process, Done done);

  private:
    Result<void> check_files() const;
    Result<void> start_vsock(Fd socket);
    qemu::Role role() const;
    Result<void> hand_over_disks(qemu::Config& config, HandedOver& fds);
    Result<void> hand_over_share(qemu::Config& config, HandedOver& fds);
    void hand_over_nics(qemu::Config& config, HandedOver& fds);
    Result<void> hand_over_prepared_nic(qemu::Config& config, HandedOver& fds);
    Result<int> make_memory(HandedOver& fds);
    Result<void> prepare_freezing(HandedOver& fds);
    Result<void> spawn_copy(const HandedOver& fds);
    Result<void> thaw();
    Result<void> tell_thawed(std::vector<Fd> sockets);
    void thawed(const Result<void>& done);
    void put_in(Container& container, const Done& done);
    void forget_vsock(unsigned number, unsigned attempt, Done done);
    Result<void> ask_to_freeze(int process);
    void receive_frozen();
    void frozen(const Result<void>& done);
    void saved(const Result<void>& done);
    void restored();
    Result<void> watch_share();
    void handle_event(const qemu::Event& event);
    bool has_nic(unsigned slot) const;
    void ask_to_plug(const std::vector<std::string>& commands, std::span<const int> fds, const Done& done);
    void close_disk(unsigned slot, unsigned attempt, Done done);
    void handle_disk_error(const qemu::Event& event);

    EventLoop& loop_;
    Container& container_;
    const Config& config_;
    MachineEvents* events_;
    const bool rehearses_;
    std::vector<DiskConfig> own_disks_; // the container's
    virtio::HybridVsock hybrid_;
    virtio::VsockDevice vsock_;
    std::unique_ptr<vhost_user::Backend> backend_;
    Watch share_ended_;
    std::map<unsigned, Timer> closing_; // disks, by slot
    qemu::Config machine_;
    Fd memory_;
    // By slot; QEMU has them too. They outlive it: to take a tap interface away needs some 20 ms, for which nobody has to wait then.
    std::map<unsigned, std::vector<Fd>> taps_;
    Fd freezer_;                        // asks QEMU's process to write itself; of one that is to be frozen
    std::map<unsigned, Timer> leaving_; // vsock devices that are gone, by number
    Watch frozen_;
    Done frozen_done_;
    bool restoring_ = false;              // a copy that has not got its state yet
    std::function<void()> once_restored_; // takes its container in
    Done saved_;                          // while it is being saved
    QemuProcess process_;
};

} // namespace hrun::monitor
