// SPDX-License-Identifier: Apache-2.0
#include "monitor/published_ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

namespace hrun::monitor {

namespace {

constexpr int kBacklog = 1;
constexpr unsigned kAnyPortAttempts = 16; // to find a port that is free in both families
constexpr Ip kAnyIp6{AF_INET6, {}};

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const Ip& ip, uint16_t port) {
    SocketAddress address;
    auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
    address.storage.ss_family = static_cast<sa_family_t>(ip.family);
    if (ip.family == AF_INET) {
        four->sin_port = htons(port);
        memcpy(&four->sin_addr, ip.bytes.data(), sizeof four->sin_addr);
        address.size = sizeof *four;
    } else {
        six->sin6_port = htons(port);
        memcpy(&six->sin6_addr, ip.bytes.data(), sizeof six->sin6_addr);
        address.size = sizeof *six;
    }
    return address;
}

// A TCP socket listens, which keeps out others that would share the port (SO_REUSEADDR); we share it with closed
// connections of the past. UDP has no such state. The families are apart: each has a socket of its own.
Result<Fd> hold(uint8_t protocol, const Ip& host, uint16_t port) {
    const bool tcp = protocol == IPPROTO_TCP, six = host.family == AF_INET6;
    Fd socket(::socket(host.family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid())
        return Error::last("make a socket");
    SocketAddress address = socket_address(host, port);
    const int yes = 1;
    if (tcp && setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
        return Error::last("share a port");
    if (six && setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) < 0)
        return Error::last("take a port of IPv6 alone");
    if (bind(socket.get(), address.get(), address.size) < 0 || (tcp && listen(socket.get(), kBacklog) < 0))
        return Error::last("take the port");
    return socket;
}

uint16_t port_of(const Fd& socket) {
    SocketAddress address;
    address.size = sizeof address.storage;
    getsockname(socket.get(), address.get(), &address.size);
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port); // where IPv6 has it too
}

std::string host_text(const Ip& ip) {
    return ip.family == AF_INET ? to_text(ip) : "[" + to_text(ip) + "]";
}

// Docker's words.
std::string refusal(const PortRequest& request, int error) {
    const bool range = request.first_host_port != request.last_host_port;
    const std::string ports =
        std::to_string(request.first_host_port) + (range ? "-" + std::to_string(request.last_host_port) : "");
    const std::string what = "Bind for " + host_text(request.host) + ":" + ports + " failed: ";
    if (error == EADDRINUSE)
        return what + (range ? "all ports are allocated" : "port is already allocated");
    if (error == EADDRNOTAVAIL)
        return what + "the host has no such address";
    return what + strerrordesc_np(error);
}

// `ruled`: by the maps of the firewall's table.
std::string record_text(const std::vector<net::PortMapping>& mappings, bool ruled,
                        const std::string& refused) {
    auto ports = nlohmann::ordered_json::array();
    for (const net::PortMapping& mapping : mappings)
        ports.push_back({{"protocol", mapping.protocol == IPPROTO_TCP ? "tcp" : "udp"},
                         {"hostIp", to_text(mapping.host)},
                         {"hostPort", mapping.host_port},
                         {"address", to_text(mapping.address)},
                         {"port", mapping.port}});
    nlohmann::ordered_json record{{"version", 1}, {"ruled", ruled}, {"ports", std::move(ports)}};
    if (!refused.empty())
        record["refused"] = refused;
    return record.dump();
}

// A socket for each port, beside what a keeper has open.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

} // namespace

std::string PublishedPorts::open(const PortsConfig& config, const std::string& directory) {
    if (config.publish.empty())
        return {};
    directory_ = directory;
    held_ = config.held;
    raise_descriptor_limit();
    std::string refused = take_all(config);
    if (refused.empty() && !mappings_.empty()) {
        const auto lock = lock_networks(directory_);
        auto announced = lock ? announce() : lock.error();
        if (announced)
            announced = lead();
        if (!announced)
            refused = announced.error().message();
    }
    if (!refused.empty())
        close();
    return refused;
}

// Under the lock: whoever makes the table anew finds a record of what is in its maps.
void PublishedPorts::redirect(const PortsConfig& config) {
    if (directory_.empty() || config.table.empty())
        return;
    const auto lock = lock_networks(directory_);
    loopback_.stop();
    const std::vector<net::PortMapping> dropped = turn(config);
    const size_t kept = mappings_.size();
    const std::string refused = take_all(config);
    if (!refused.empty())
        while (mappings_.size() > kept)
            drop(mappings_.size() - 1);
    auto done = announce(refused);
    if (done)
        done = give_back(dropped);
    if (done && !mappings_.empty())
        done = lead();
    if (done)
        done = forget_flows();
    if (done)
        return;
    const std::string failure = done.error().message();
    dprintf(STDERR_FILENO, "hrun-vmm: %s\n", failure.c_str());
    if (refused.empty())
        done = announce(failure); // whoever waits for it is told
}

// Has what is taken lead where the requests say; returns what is given back: they say nothing of it, or want it in a second family.
std::vector<net::PortMapping> PublishedPorts::turn(const PortsConfig& config) {
    std::vector<net::PortMapping> dropped;
    for (size_t taken = mappings_.size(); taken-- > 0;) {
        const size_t index = requests_[taken];
        const PortRequest& request = config.publish[index];
        net::PortMapping& mapping = mappings_[taken];
        const bool beside = mapping.host.family != request.host.family; // ::, of a request for 0.0.0.0
        const auto& address = beside ? request.address6 : request.address;
        const bool alone = std::count(requests_.begin(), requests_.end(), index) == 1;
        if (address && address->family == mapping.host.family && (beside || !request.address6 || !alone)) {
            mapping.address = *address;
            continue;
        }
        dropped.push_back(mapping);
        drop(taken);
    }
    return dropped;
}

void PublishedPorts::drop(size_t taken) {
    const auto at = static_cast<ptrdiff_t>(taken);
    sockets_.erase(sockets_.begin() + at);
    mappings_.erase(mappings_.begin() + at);
    requests_.erase(requests_.begin() + at);
}

bool PublishedPorts::leads(size_t index) const {
    return std::find(requests_.begin(), requests_.end(), index) != requests_.end();
}

// Those that lead somewhere, and are not taken yet.
std::string PublishedPorts::take_all(const PortsConfig& config) {
    for (size_t i = 0; i < config.publish.size(); ++i) {
        if (!config.publish[i].address || leads(i))
            continue;
        if (auto opened = open_map(config); !opened)
            return opened.error().message();
        if (auto refused = take(config.publish[i], i); !refused.empty())
            return refused;
    }
    return {};
}

Result<void> PublishedPorts::open_map(const PortsConfig& config) {
    if (map_ || config.table.empty())
        return {};
    auto map = net::PortMap::open(config.table);
    if (!map)
        return map.error();
    auto flows = net::Flows::open();
    if (!flows)
        return flows.error();
    map_.emplace(std::move(*map));
    flows_.emplace(std::move(*flows));
    return {};
}

std::string PublishedPorts::take(const PortRequest& request, size_t index) {
    int error = EADDRINUSE;
    const unsigned attempts = request.first_host_port == 0 ? kAnyPortAttempts : 1;
    for (unsigned port = request.first_host_port; port <= request.last_host_port; ++port)
        for (unsigned attempt = 0; attempt < attempts; ++attempt) {
            auto taken = take_port(request, index, static_cast<uint16_t>(port));
            if (taken)
                return {};
            error = taken.error().code;
            if (error != EADDRINUSE)
                return refusal(request, error);
        }
    return refusal(request, error);
}

// In both families the same port, or none.
Result<void> PublishedPorts::take_port(const PortRequest& request, size_t index, uint16_t port) {
    auto socket = hold(request.protocol, request.host, port);
    if (!socket)
        return socket.error();
    const uint16_t taken = port_of(*socket);
    if (request.address6) {
        auto socket6 = hold(request.protocol, kAnyIp6, taken);
        if (!socket6)
            return socket6.error();
        mappings_.push_back({request.protocol, kAnyIp6, taken, *request.address6, request.port});
        sockets_.push_back(std::move(*socket6));
        requests_.push_back(index);
    }
    mappings_.push_back({request.protocol, request.host, taken, *request.address, request.port});
    sockets_.push_back(std::move(*socket));
    requests_.push_back(index);
    return {};
}

// First the record: whoever has to make the table anew finds there what belongs into its maps.
Result<void> PublishedPorts::announce(const std::string& refused) {
    if (mappings_.empty() && refused.empty()) {
        record_.remove();
        return {};
    }
    const std::string id = directory_.substr(directory_.rfind('/') + 1);
    auto record = LiveRecord::create(networks_directory(directory_) + "/.ports/" + id,
                                     record_text(mappings_, map_.has_value(), refused));
    if (!record)
        return record.error();
    record_ = std::move(*record);
    return {};
}

// A table that is gone is made anew by the next start of a container.
Result<void> PublishedPorts::lead() {
    if (!map_ && !held_) {
        sockets_.clear();
        return {};
    }
    HRUN_TRY(loopback_.start(mappings_, sockets_));
    if (!map_)
        return {};
    auto mapped = map_->add(mappings_);
    if (mapped || mapped.error().code != ENOENT)
        return mapped;
    dprintf(STDERR_FILENO, "hrun-vmm: the firewall's rules are gone: ports are published when any "
                           "container is started\n");
    return {};
}

Result<void> PublishedPorts::give_back(const std::vector<net::PortMapping>& mappings) {
    if (!map_)
        return {};
    given_back_.insert(given_back_.end(), mappings.begin(), mappings.end());
    return map_->remove(mappings);
}

Result<void> PublishedPorts::forget_flows() {
    if (!flows_)
        return {};
    HRUN_TRY(flows_->forget(std::exchange(given_back_, {})));
    return flows_->forget_others(mappings_);
}

// Under the lock: nobody makes the table anew from a record that is about to go.
void PublishedPorts::close() {
    if (directory_.empty())
        return;
    const auto lock = lock_networks(directory_);
    if (const auto given_back = give_back(mappings_); !given_back)
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", given_back.error().message().c_str());
    loopback_.stop();
    record_.remove();
    clear();
}

void PublishedPorts::forget() {
    map_.reset();
    flows_.reset();
    record_.forget();
    loopback_.forget();
    clear();
}

void PublishedPorts::clear() {
    directory_.clear();
    mappings_.clear();
    sockets_.clear();
    requests_.clear();
}

} // namespace hrun::monitor
