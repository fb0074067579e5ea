// SPDX-License-Identifier: Apache-2.0
#include "monitor/announced_names.h"

#include <algorithm>

namespace hrun::monitor {

namespace {

std::string record_text(const NicConfig& nic) {
    std::string text;
    for (const net::Address& address : nic.addresses)
        text += "address " + to_text(address.ip()) + "\n";
    for (const std::string& name : nic.names)
        text += "name " + name + "\n";
    for (const std::string& server : nic.servers)
        text += "server " + server + "\n";
    return text;
}

std::string record_path(const NicConfig& nic, const std::string& directory) {
    const std::string id = directory.substr(directory.rfind('/') + 1);
    return networks_directory(directory) + "/" + nic.network + "/names/" + id;
}

} // namespace

Result<void> AnnouncedNames::open(const std::vector<NicConfig>& nics, const std::string& directory) {
    const bool any =
        std::any_of(nics.begin(), nics.end(), [](const NicConfig& nic) { return !nic.network.empty(); });
    if (!any)
        return {};
    auto lock = lock_networks(directory);
    if (!lock)
        return lock.error();
    std::vector<LiveRecord> records;
    for (const NicConfig& nic : nics) {
        if (nic.network.empty())
            continue;
        auto record = LiveRecord::create(record_path(nic, directory), record_text(nic));
        if (!record)
            return record.error();
        records.push_back(std::move(*record));
    }
    records_ = std::move(records);
    return {};
}

Result<void> AnnouncedNames::hush(const std::vector<NicConfig>& nics, const std::string& directory) {
    const auto opened = open(nics, directory);
    for (LiveRecord& record : records_)
        record.clear();
    return opened;
}

Result<Fd> announce_for_monitor(const NicConfig& nic, const std::string& directory) {
    if (nic.network.empty())
        return Fd();
    auto lock = lock_networks(directory);
    if (!lock)
        return lock.error();
    return LiveRecord::create_for_other(record_path(nic, directory), record_text(nic));
}

void AnnouncedNames::close() {
    for (LiveRecord& record : records_)
        record.remove();
    records_.clear();
}

} // namespace hrun::monitor
