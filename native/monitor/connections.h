// SPDX-License-Identifier: Apache-2.0
// What a machine has of the host's networks while it runs: published ports, names, tap interfaces, and a CNI network to its end.
#pragma once

#include "monitor/announced_names.h"
#include "monitor/container.h"
#include "monitor/passt.h"
#include "monitor/published_ports.h"

namespace hrun::monitor {

class Connections {
  public:
    // Gives the container its interfaces for a run, or the reason why it cannot have what it wants. Those that its machine waits with are
    // used.
    void open(Container& container);
    // Gives a machine that waits for its container interfaces that nothing is connected to yet.
    void open_unconnected(Container& container);
    // The same for one that will never have a container: where the host allows it nobody there sees them.
    void open_hidden(Container& container);
    // After open() and close(), once nobody waits any more (PublishedPorts::forget_flows).
    void forget_flows();
    // The run is over and another follows: the networks of that are to stay.
    void pause(const Container& container);
    // Where the container's ports lead has changed.
    void redirect(const Container& container) { ports_.redirect(container.config.ports); }
    void close();
    // In a process that the keeper has forked: all of it is the keeper's alone.
    void forget();

  private:
    Result<std::vector<Fd>> open_backend(const NicConfig& nic, std::vector<Nic>& waiting);
    void leave_plugins();

    PublishedPorts ports_;
    AnnouncedNames names_;
    Passt passt_;               // of the only interface, if it is served so
    std::string plugin_record_; // of a CNI network
};

} // namespace hrun::monitor
