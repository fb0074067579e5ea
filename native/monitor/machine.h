// SPDX-License-Identifier: Apache-2.0
// The virtual machine of one container: QEMU, our vsock device behind it, and what they say when they end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/fd.h"
#include "devices/virtio/hybrid_vsock.h"
#include "devices/virtio/vsock.h"
#include "monitor/config.h"
#include "monitor/console.h"
#include "qemu/process.h"
#include "qemu/qmp.h"
#include "qemu/tsc.h"
#include "transport/vhost_user.h"

namespace hrun::monitor {

class MachineEvents {
  public:
    virtual ~MachineEvents() = default;
    // The machine is gone; why_gone() says why.
    virtual void machine_gone() = 0;
    // It can do nothing useful any more: its kernel panicked, or a disk's host file cannot be written.
    virtual void machine_failed(uint32_t kind, std::string message) = 0;
};

class Machine {
  public:
    // `directory` is the container's; it stays the caller's and outlives this.
    Machine(EventLoop& loop, int directory, const Config& config, MachineEvents& events);

    // Starts it. The error names the file or program that is in the way.
    Result<void> start();
    pid_t pid() const { return process_.pid(); }
    bool running() const { return process_.running(); }
    // Ends it at once; machine_gone() follows.
    void kill() { process_.kill(); }
    // Lets go of the sockets in the directory.
    void close() { hybrid_.close(); }
    // One line for the user, from whoever knows best: the guest's kernel, QEMU's messages, its exit status.
    std::string why_gone() const;
    virtio::VsockDevice& vsock() { return vsock_; }

  private:
    Result<std::vector<Fd>> open_disks() const;
    Result<void> open_console(Fd source);
    Result<void> open_error_output(Fd source);
    void read_error_output();
    void handle_event(const qemu::Event& event);
    void collect();

    EventLoop& loop_;
    int directory_;
    const Config& config_;
    MachineEvents& events_;
    qemu::TscMeter tsc_;
    virtio::HybridVsock hybrid_;
    virtio::VsockDevice vsock_;
    std::unique_ptr<vhost_user::Backend> backend_;
    std::unique_ptr<qemu::Qmp> qmp_;
    std::unique_ptr<Console> console_;
    Fd error_output_;
    Watch error_watch_;
    std::string error_line_; // the last one of QEMU's
    std::string shutdown_reason_;
    qemu::Process process_;
    Watch ended_;
    int status_ = 0;
};

} // namespace hrun::monitor
