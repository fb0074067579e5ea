// SPDX-License-Identifier: Apache-2.0
#include "monitor/leased_nics.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "monitor/live_record.h"
#include "monitor/plugin_network.h"

namespace hrun::monitor {

namespace {

constexpr size_t kIdDigits = 6; // that tell a tap's container from another's

std::string read_text(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

// The directory of the network that has the bridge; empty when none has.
std::string network_of(const std::string& bridge, const std::string& networks) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(networks, ignored)) {
        const std::string name = entry.path().filename();
        const auto network = nlohmann::json::parse(read_text(entry.path() / "network.json"), nullptr, false);
        if (!name.starts_with('.') && network.is_object() &&
            network.value("bridge", nlohmann::json()) == bridge)
            return entry.path();
    }
    return {};
}

bool is_leased(const NicConfig& nic, const std::string& networks, const std::string& id) {
    const std::string network = network_of(nic.bridge, networks);
    return !network.empty() && nic.tap.find(id.substr(0, kIdDigits)) != nic.tap.npos &&
           (nic.network.empty() || network == networks + "/" + nic.network) &&
           std::all_of(nic.addresses.begin(), nic.addresses.end(), [&](const net::Address& address) {
               return read_text(network + "/leases/" + to_text(address.ip())) == id;
           });
}

bool is_plugins(const InsideConfig& inside, const std::string& record) {
    const auto json = nlohmann::json::parse(read_text(record), nullptr, false);
    return json.is_object() && json.value("namespace", nlohmann::json()) == inside.name_space;
}

bool is_one_of(const Ip& address, const std::vector<NicConfig>& nics) {
    for (const NicConfig& nic : nics)
        for (const net::Address& own : nic.addresses)
            if (own.ip() == address)
                return true;
    return false;
}

// Every address of the host is that of the family that the container's network has.
bool is_same_port(const PortRequest& one, const PortRequest& other) {
    return one.protocol == other.protocol && one.port == other.port &&
           (one.host == other.host || (one.host.is_any() && other.host.is_any())) &&
           one.first_host_port == other.first_host_port && one.last_host_port == other.last_host_port;
}

} // namespace

bool are_leased(const std::vector<NicConfig>& nics, const std::string& directory) {
    const std::string networks = networks_directory(directory),
                      id = directory.substr(directory.rfind('/') + 1);
    return std::all_of(nics.begin(), nics.end(), [&](const NicConfig& nic) {
        return nic.inside ? is_plugins(*nic.inside, plugin_record(directory)) : is_leased(nic, networks, id);
    });
}

void keep_rates(std::vector<NicConfig>& nics, const std::vector<NicConfig>& before) {
    if (before.empty())
        return;
    const auto lower = [](uint64_t one, uint64_t other) {
        return one && other ? std::min(one, other) : one | other;
    };
    const net::Rates most = before[0].rates;
    for (NicConfig& nic : nics)
        nic.rates = {lower(nic.rates.in, most.in), lower(nic.rates.out, most.out)};
}

void redirect_ports(PortsConfig& ports, const PortsConfig& wanted, const std::vector<NicConfig>& nics) {
    const auto own = [&nics](const std::optional<Ip>& address) {
        return address && is_one_of(*address, nics) ? address : std::nullopt;
    };
    for (size_t i = 0; i < ports.publish.size(); ++i) {
        PortRequest& port = ports.publish[i];
        const bool same = i < wanted.publish.size() && is_same_port(port, wanted.publish[i]);
        port.address = same ? own(wanted.publish[i].address) : std::nullopt;
        port.address6 = same ? own(wanted.publish[i].address6) : std::nullopt;
        if (port.address)
            port.host = wanted.publish[i].host;
    }
}

} // namespace hrun::monitor
