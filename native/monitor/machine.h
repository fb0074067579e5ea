// SPDX-License-Identifier: Apache-2.0
// The virtual machine of one container, whichever engine runs it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "devices/virtio/vsock.h"
#include "monitor/container.h"

namespace hrun::monitor {

// A network interface that comes while the machine runs.
struct PluggedNic {
    unsigned slot;
    net::Mac mac;
    uint16_t mtu;
};

class MachineEvents {
  public:
    virtual ~MachineEvents() = default;
    // The machine is gone; why_gone() says why.
    virtual void machine_gone() = 0;
    // It can do nothing useful any more: its kernel panicked, or a disk's host file cannot be written.
    virtual void machine_failed(uint32_t kind, std::string message) = 0;
    // The host file of a disk that was plugged in cannot be read or written; the guest is told, too.
    virtual void machine_disk_failed(unsigned slot, bool no_space) = 0;
};

class Machine {
  public:
    virtual ~Machine() = default;

    // Makes it, enters the jail on the way, and stops short of the guest's first instruction. The error names the file,
    // device or program that is in the way.
    virtual Result<void> start() = 0;
    // Lets the guest run, as soon as the event loop turns. After start(), once the monitor is locked in.
    virtual Result<void> run() = 0;
    // The process in which the guest runs, as the host sees it; 0 when there is none.
    virtual pid_t pid() const = 0;
    // From a successful start() until machine_gone().
    virtual bool running() const = 0;
    // Ends it at once; machine_gone() follows.
    virtual void kill() = 0;
    // Lets go of the sockets in the directory.
    virtual void close() = 0;
    // One line for the user, from whoever knows best: the guest's kernel, the engine's messages, its end.
    virtual std::string why_gone() const = 0;
    // False when start() has failed for what is in the template that it was to copy.
    virtual bool origin_is_good() const { return true; }
    // While it is running: has `socket`, a non-blocking stream, lead to a port of the guest; as VsockDevice::connect.
    virtual Result<void> connect(uint32_t port, Fd socket, virtio::VsockConnection::Connected connected) = 0;

    using Done = std::function<void(Result<void>)>;
    // Puts a network interface into an empty slot of a machine that runs. `done` is called once, unless the machine ends before.
    // `taps`: the queues of its tap interface.
    virtual void plug_nic(const PluggedNic& nic, std::vector<Fd> taps, Done done) = 0;
    // Takes one away, whether the guest has let go of it or not.
    virtual void unplug_nic(unsigned slot, Done done) = 0;
    // The same of a disk that another container brings. Errors of its host file are told by machine_disk_failed().
    virtual void plug_disk(unsigned slot, bool read_only, Fd file, Done done) = 0;
    virtual void unplug_disk(unsigned slot, Done done) = 0;

    // Of a machine that was started without a container and is given one. From here on `events` hear of it.
    virtual void report_to(MachineEvents& events) { (void)events; }
    // Puts the container's disks and network interfaces in, which are then as if the machine had been started with them.
    virtual void take_in(Container& container, Done done) {
        (void)container;
        done(Error{ENOTSUP, "give the machine a container"});
    }

    // An error when no checkpoint can be made of it.
    virtual Result<void> can_be_saved() const;
    // With the guest suspended (HRUN_SUSPEND): takes the vsock device away, stops, and writes all but the memory into the file. `done`
    // is called once, unless the machine ends before; after an error too it stands still until go_on().
    virtual void save(Fd state, Done done);
    // The file that is its memory, of a machine that can be saved.
    virtual int memory() const { return -1; }
    // Gives it another vsock device and lets it run.
    virtual void go_on(Done done);
};

// A machine of the configuration's engine. Loop, container and events outlive it.
std::unique_ptr<Machine> create_machine(EventLoop& loop, Container& container, MachineEvents& events);

} // namespace hrun::monitor
