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
    QemuMachine(EventLoop& loop, Container& container, MachineEvents& events);

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

  private:
    Result<void> check_files() const;
    Result<void> start_vsock(Fd socket);
    Result<void> hand_over_devices(qemu::Config& config, HandedOver& fds);
    Result<void> make_memory(qemu::Config& config, HandedOver& fds);
    Result<void> spawn_copy(const HandedOver& fds);
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
    bool restoring_ = false;              // a copy that has not got its state yet
    std::function<void()> once_restored_; // takes its container in
    Done saved_;                          // while it is being saved
    QemuProcess process_;
};

} // namespace hrun::monitor
