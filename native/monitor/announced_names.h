// SPDX-License-Identifier: Apache-2.0
// A running machine's names in its networks: a record of each for the network's name server (names/name_table.h).
#pragma once

#include <string>
#include <vector>

#include "monitor/config.h"
#include "monitor/live_record.h"

namespace hrun::monitor {

class AnnouncedNames {
  public:
    // Writes <store>/networks/<network>/names/<id>; `directory` is the container's.
    Result<void> open(const std::vector<NicConfig>& nics, const std::string& directory);
    void close();
    // The machine is between two runs: it has no names, but the name servers of the networks of its next run stay.
    Result<void> hush(const std::vector<NicConfig>& nics, const std::string& directory);
    // In a process that the keeper has forked: the names stay.
    void forget() { records_.clear(); }

  private:
    std::vector<LiveRecord> records_;
};

// Writes the record of one interface of a machine that runs. It is locked by the descriptor, which lets nobody write to it, as long as
// anybody has that. None for a network whose names nobody serves.
Result<Fd> announce_for_monitor(const NicConfig& nic, const std::string& directory);

} // namespace hrun::monitor
