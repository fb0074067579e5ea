// SPDX-License-Identifier: Apache-2.0
// The real agent as PID 1 of namespaces of this host, with loop devices for disks: no VM, milliseconds to start.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "rig/wire.h"

namespace hrun::test {

// A directory that goes when its owner does.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory();
    std::string path(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

// A file attached as a block device.
class LoopDevice {
  public:
    LoopDevice(const std::string& file, bool read_only);
    LoopDevice(LoopDevice&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
    ~LoopDevice();
    const std::string& path() const { return path_; }

  private:
    std::string path_; // /dev/loopN
};

// Runs a host command; throws when it fails. Returns its standard output.
std::string run_command(const std::string& command);

// Why the rig cannot run here, or an empty string.
std::string rig_obstacle();

class NamespaceRig {
  public:
    NamespaceRig();
    NamespaceRig(const NamespaceRig&) = delete;
    ~NamespaceRig();

    // Makes an EROFS layer of what `script` (sh, in an empty directory) makes; it gets the next slot, which is returned.
    uint32_t add_layer(const std::string& script);
    // An empty ext4 disk in the next slot.
    uint32_t add_writable();
    // A network interface (one end of a veth pair, in the machine's own network namespace) in the next slot.
    uint32_t add_interface();
    // Starts the agent. Slots can be added no more.
    void start();
    Wire connect() const { return connect_to("agent.sock"); }
    // The agent of a further container, by the port that JOINED has told.
    Wire connect(uint32_t port) const { return connect_to("agent.sock." + std::to_string(port)); }
    // Waits for the agent to end; its status as from waitpid.
    int wait();
    pid_t agent() const { return agent_; }
    // The disk of add_writable, as a file.
    std::string writable_file() const { return directory_.path("writable.ext4"); }

  private:
    Wire connect_to(const std::string& socket) const;

    [[noreturn]] void become_agent();
    uint32_t add_disk(const std::string& file, bool read_only);
    uint32_t add_device(const std::string& kind, const std::string& name);

    TemporaryDirectory directory_;
    uint32_t slots_ = 0;
    std::vector<LoopDevice> disks_;
    std::vector<std::string> interfaces_;
    std::string group_;
    pid_t agent_ = 0; // the process that waits for it; in this pid namespace
};

} // namespace hrun::test
