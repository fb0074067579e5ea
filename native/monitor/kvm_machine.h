// SPDX-License-Identifier: Apache-2.0
// The kvm engine: our own machine in this process, its devices on the monitor's event loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "devices/virtio/hybrid_vsock.h"
#include "monitor/machine.h"
#include "monitor/serial_console.h"
#include "transport/vhost_user_device.h"
#include "vmm/builder.h"

namespace hrun::monitor {

class KvmMachine : public Machine {
  public:
    KvmMachine(EventLoop& loop, Container& container, MachineEvents& events);
    ~KvmMachine() override;

    Result<void> start() override;
    Result<void> run() override;
    pid_t pid() const override { return running() ? container_.jail->host_pid() : 0; }
    bool running() const override { return machine_ != nullptr; }
    void kill() override;
    void close() override { hybrid_.close(); }
    std::string why_gone() const override;
    bool origin_is_good() const override { return origin_is_good_; }
    Result<void> connect(uint32_t port, Fd socket, virtio::VsockConnection::Connected connected) override {
        return vsock_->connect(port, std::move(socket), std::move(connected));
    }
    void plug_nic(const PluggedNic& nic, std::vector<Fd> taps, Done done) override;
    void unplug_nic(unsigned slot, Done done) override;
    void plug_disk(unsigned slot, bool read_only, Fd file, Done done) override;
    void unplug_disk(unsigned slot, Done done) override;

  private:
    Result<std::vector<vmm::SlotDevice>> create_devices();
    Result<vmm::SlotDevice> create_share();
    // `fds`: the queues of a tap interface, or with `stream` a socket (devices/virtio/net_stream.h).
    Result<vmm::SlotDevice> create_nic(const PluggedNic& nic, std::vector<Fd> fds, bool stream = false);
    Result<vmm::SlotDevice> create_disk(const DiskConfig& disk, Result<Fd>& file);
    Result<std::unique_ptr<vmm::Machine>> build();
    Result<std::unique_ptr<vmm::Machine>> copy(vmm::Builder& builder, std::vector<vmm::SlotDevice> devices);
    void collect();

    EventLoop& loop_;
    Container& container_;
    const Config& config_;
    MachineEvents& events_;
    virtio::HybridVsock hybrid_;
    std::unique_ptr<SerialConsole> serial_;
    virtio::VsockDevice* vsock_ = nullptr;      // the machine's
    vhost_user::RemoteDevice* share_ = nullptr; // the same, if anything is shared
    std::unique_ptr<vmm::Machine> machine_;
    std::function<void()> lock_worker_;
    Watch ended_;
    Timer last_turn_;
    vmm::End end_;
    bool origin_is_good_ = true;
};

} // namespace hrun::monitor
