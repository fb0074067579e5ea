// SPDX-License-Identifier: Apache-2.0
#include "monitor/nic_changes.h"

#include <algorithm>
#include <memory>

namespace hrun::monitor {

NicChanges::NicChanges(Machine& machine, const std::vector<NicConfig>& present) : machine_(machine) {
    for (const NicConfig& nic : present)
        present_.insert(nic.slot);
}

void NicChanges::plug(Client& client, const hrun_plug& plug, std::vector<Fd> descriptors) {
    if (present_.contains(plug.slot))
        return client.send(refusal({EEXIST, "there is a network interface in the slot"}));
    if (!begin(client, plug.slot))
        return;
    PluggedNic nic{plug.slot, {}, static_cast<uint16_t>(plug.mtu)};
    std::copy(std::begin(plug.mac), std::end(plug.mac), nic.mac.begin());
    const size_t queues = size_t{1} + plug.more_queues;
    const auto record = std::make_shared<Fd>(descriptors.size() > queues ? std::move(descriptors[queues])
                                                                         : Fd()); // for std::function's sake
    descriptors.resize(queues);
    machine_.plug_nic(nic, std::move(descriptors),
                      [this, slot = plug.slot, record](const Result<void>& done) {
                          if (done)
                              present_.insert(slot);
                          if (done && record->valid())
                              records_[slot] = std::move(*record);
                          end(done);
                      });
}

void NicChanges::unplug(Client& client, uint32_t slot) {
    if (!present_.contains(slot))
        return client.send(frame(HRUN_PLUGGED));
    if (!begin(client, slot))
        return;
    machine_.unplug_nic(slot, [this, slot](const Result<void>& done) {
        if (done) {
            present_.erase(slot);
            records_.erase(slot);
        }
        end(done);
    });
}

void NicChanges::forget(const Client& client) {
    if (client_ == &client)
        client_ = nullptr;
}

bool NicChanges::begin(Client& client, uint32_t slot) {
    if (busy_) {
        client.send(refusal({EBUSY, "the networks are being changed by another command"}));
        return false;
    }
    busy_ = true;
    changing_ = slot;
    client_ = &client;
    return true;
}

void NicChanges::end(const Result<void>& done) {
    busy_ = false;
    if (Client* const client = std::exchange(client_, nullptr))
        client->send(done ? frame(HRUN_PLUGGED) : refusal(done.error()));
}

} // namespace hrun::monitor
