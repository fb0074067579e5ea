// SPDX-License-Identifier: Apache-2.0
// The qemu engine: QEMU as a child, our vsock device behind it, and what they say when they end.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"
#include "devices/virtio/hybrid_vsock.h"
#include "monitor/console.h"
#include "monitor/machine.h"
#include "qemu/command_line.h"
#include "qemu/process.h"
#include "qemu/qmp.h"
#include "qemu/tsc.h"
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
    std::string why_gone() const override;
    virtio::VsockDevice& vsock() override { return vsock_; }

  private:
    Result<void> check_files() const;
    Result<void> watch_share();
    Result<void> spawn(const qemu::Config& config, const std::string& mp_table, int error_output,
                       std::span<const int> fds);
    Result<void> open_console(Fd source);
    void read_console();
    Result<void> open_error_output(Fd source);
    void read_error_output();
    void handle_event(const qemu::Event& event);
    void collect();

    EventLoop& loop_;
    Container& container_;
    const Config& config_;
    MachineEvents& events_;
    qemu::TscMeter tsc_;
    virtio::HybridVsock hybrid_;
    virtio::VsockDevice vsock_;
    std::unique_ptr<vhost_user::Backend> backend_;
    std::unique_ptr<qemu::Qmp> qmp_;
    Fd console_output_;
    Watch console_watch_;
    std::unique_ptr<Console> console_;
    Fd error_output_;
    Watch error_watch_;
    std::string error_line_; // the last one of QEMU's
    std::string shutdown_reason_;
    Watch share_ended_;
    qemu::Process process_;
    Watch ended_;
    int status_ = 0;
};

} // namespace hrun::monitor
