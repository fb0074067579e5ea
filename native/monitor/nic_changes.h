// SPDX-License-Identifier: Apache-2.0
// Network interfaces that come and go while a machine runs, as clients of the control socket ask for it.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "base/fd.h"
#include "monitor/client.h"
#include "monitor/config.h"
#include "monitor/machine.h"

namespace hrun::monitor {

class NicChanges {
  public:
    // `present`: the interfaces that the machine is started with.
    NicChanges(Machine& machine, const std::vector<NicConfig>& present);

    // `descriptors`: the queues of the interface's tap, and perhaps a locked record, which is held as long as the interface is there. The client is
    // sent PLUGGED or ERROR, in time. EEXIST when the slot has one.
    void plug(Client& client, const hrun_plug& plug, std::vector<Fd> descriptors);
    // A slot that has none is fine.
    void unplug(Client& client, uint32_t slot);
    // True when there is an interface in the slot, or soon may be.
    bool has(unsigned slot) const { return present_.contains(slot) || (busy_ && changing_ == slot); }
    // It is gone: nobody is to be told.
    void forget(const Client& client);

  private:
    bool begin(Client& client, uint32_t slot);
    void end(const Result<void>& done);

    Machine& machine_;
    bool busy_ = false; // one change at a time
    uint32_t changing_ = 0;
    Client* client_ = nullptr;
    std::set<uint32_t> present_;     // slots
    std::map<uint32_t, Fd> records_; // by slot
};

} // namespace hrun::monitor
