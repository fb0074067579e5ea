// SPDX-License-Identifier: Apache-2.0
#include "monitor/announced_names.h"

#include <arpa/inet.h>

#include <algorithm>

namespace hrun::monitor {

namespace {

std::string record_text(const NicConfig& nic) {
    std::string text;
    for (const net::Address& address : nic.addresses) {
        char buffer[INET6_ADDRSTRLEN];
        if (inet_ntop(address.family, address.bytes.data(), buffer, sizeof buffer))
            text += std::string("address ") + buffer + "\n";
    }
    for (const std::string& name : nic.names)
        text += "name " + name + "\n";
    for (const std::string& server : nic.servers)
        text += "server " + server + "\n";
    return text;
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
    const std::string id = directory.substr(directory.rfind('/') + 1);
    for (const NicConfig& nic : nics) {
        if (nic.network.empty())
            continue;
        const std::string path = networks_directory(directory) + "/" + nic.network + "/names/" + id;
        auto record = LiveRecord::create(path, record_text(nic));
        if (!record)
            return record.error();
        records.push_back(std::move(*record));
    }
    records_ = std::move(records);
    return {};
}

void AnnouncedNames::hush() {
    for (LiveRecord& record : records_)
        record.clear();
}

void AnnouncedNames::close() {
    for (LiveRecord& record : records_)
        record.remove();
    records_.clear();
}

} // namespace hrun::monitor
