// SPDX-License-Identifier: Apache-2.0
// The ports of the host that lead to a running machine. Each is held by a socket that nothing is ever read from, so that it is
// this machine's alone, as long as its keeper lives; the firewall sends what comes for it to the machine before the socket
// sees it, but for what the host sends to ::1. Where passt serves the ports they are only looked for here, and passt takes them; those that CNI plug-ins serve are
// held here without the firewall.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "monitor/config.h"
#include "monitor/live_record.h"
#include "monitor/loopback_ports.h"
#include "net/flows.h"

namespace hrun::monitor {

class PublishedPorts {
  public:
    PublishedPorts() = default;
    PublishedPorts(PublishedPorts&&) = default;
    PublishedPorts& operator=(PublishedPorts&&) = default;
    ~PublishedPorts() = default;

    // Takes all ports or none, and tells of them in <store>/networks/.ports/<id>; `directory` is the container's. The
    // refusal is one line for the user.
    [[nodiscard]] std::string open(const PortsConfig& config, const std::string& directory);
    // Has the ports lead where `config` says now, which has the same ports as that of open(): takes those that did not lead anywhere,
    // and gives back those that do not any more. A refusal is written into the record, and none that is new is taken.
    void redirect(const PortsConfig& config);
    // Gives the ports back.
    void close();
    // Has UDP flows follow what was taken and given back since the last call: who does not stop sending would not reach a new port, and by
    // one that was given back whichever container has the address next. It looks at all flows of the host, for some 10 ms, so that a start
    // and an end do not wait for it.
    Result<void> forget_flows();
    // What was taken.
    const std::vector<net::PortMapping>& mappings() const { return mappings_; }
    // In a process that the keeper has forked: forgets them, and they stay taken.
    void forget();

  private:
    std::string take_all(const PortsConfig& config);
    std::string take(const PortRequest& request, size_t index);
    Result<void> take_port(const PortRequest& request, size_t index, uint16_t port);
    Result<void> open_map(const PortsConfig& config);
    std::vector<net::PortMapping> turn(const PortsConfig& config);
    void drop(size_t taken);
    bool leads(size_t index) const;
    Result<void> announce(const std::string& refused = {});
    Result<void> lead();
    Result<void> give_back(const std::vector<net::PortMapping>& mappings);
    void clear();

    std::optional<net::PortMap> map_;
    std::optional<net::Flows> flows_; // with map_
    std::string directory_;           // of the container; empty: nothing is published
    bool held_ = false;
    // What is taken: the socket, where it leads, and which of the requests it is for.
    std::vector<Fd> sockets_;
    std::vector<net::PortMapping> mappings_;
    std::vector<size_t> requests_;
    std::vector<net::PortMapping> given_back_; // whose flows are not forgotten yet
    LiveRecord record_;
    LoopbackPorts loopback_;
};

} // namespace hrun::monitor
