// SPDX-License-Identifier: Apache-2.0
// Who is in a network now: records in the directory `<network>/names` of the working directory, one per machine, each locked as
// long as its machine runs. Nothing is remembered: a record whose lock is free counts no more, whatever ended its holder.
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"

namespace hrun::names {

struct Station {
    std::string id; // of the machine: the record's name
    std::vector<Ip> addresses;
    std::vector<std::string> names;
    std::vector<std::string> servers; // that it wants to ask, instead of the network's
};

// The machines of a network that run.
std::vector<Station> read_stations(const std::string& network);

// The networks in which a machine runs, by name.
std::vector<std::string> networks_of(const std::string& id);

// One record: lines "address 10.5.0.2", "address fd00::2", "name web", "server 192.0.2.53". Other lines are passed over.
Station parse_station(const std::string& text);

// The file `<network>/servers` of the working directory: servers for all other names, one a line.
std::vector<std::string> read_servers(const std::string& network);

} // namespace hrun::names
