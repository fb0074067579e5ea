// SPDX-License-Identifier: Apache-2.0
// A place in the machine of another container: its monitor has plugged in this one's disks and leads to the agent that serves it there.
#pragma once

#include <string>
#include <vector>

#include "devices/virtio/hybrid_vsock.h"
#include "monitor/join_link.h"
#include "monitor/machine.h"

namespace hrun::monitor {

class JoinedMachine : public Machine {
  public:
    JoinedMachine(EventLoop& loop, Container& container, MachineEvents& events);

    Result<void> start() override;
    Result<void> run() override { return {}; } // it runs
    pid_t pid() const override { return 0; }   // the other's
    bool running() const override { return running_; }
    // Ends the container in the machine, which gives the disks back.
    void kill() override;
    void close() override { hybrid_.close(); }
    std::string why_gone() const override { return why_gone_; }
    Result<void> connect(uint32_t port, Fd socket, virtio::VsockConnection::Connected connected) override;
    void plug_nic(const PluggedNic& nic, std::vector<Fd> taps, Done done) override;
    void unplug_nic(unsigned slot, Done done) override;
    void plug_disk(unsigned slot, bool read_only, Fd file, Done done) override;
    void unplug_disk(unsigned slot, Done done) override;

  private:
    struct Waiting {
        Fd socket;
        virtio::VsockConnection::Connected connected;
    };

    void take_place(uint32_t slots);
    void lead_to_agent(Waiting waiting);
    void leave(std::string why);
    std::string host_ended() const;

    EventLoop& loop_;
    Container& container_;
    MachineEvents& events_;
    virtio::HybridVsock hybrid_;
    JoinLink link_;
    std::vector<Waiting> waiting_; // for the place
    bool running_ = false;
    bool placed_ = false;
    bool parting_ = false;
    std::string why_gone_;
    Timer limit_; // of the parting
};

} // namespace hrun::monitor
