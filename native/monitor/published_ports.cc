// SPDX-License-Identifier: Apache-2.0
#include "monitor/published_ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "net/flows.h"

namespace hrun::monitor {

namespace {

constexpr int kBacklog = 1;

std::string text_of(const net::Ipv4& address) {
    char text[INET_ADDRSTRLEN];
    return inet_ntop(AF_INET, address.data(), text, sizeof text);
}

// A TCP socket listens, which keeps out others that would share the port (SO_REUSEADDR); we share it with closed
// connections of the past. UDP has no such state.
Result<Fd> hold(uint8_t protocol, const net::Ipv4& host, uint16_t port) {
    const bool tcp = protocol == IPPROTO_TCP;
    Fd socket(::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid())
        return Error::last("make a socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    memcpy(&address.sin_addr, host.data(), host.size());
    const int yes = 1;
    if (tcp && setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
        return Error::last("share a port");
    if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
        (tcp && listen(socket.get(), kBacklog) < 0))
        return Error::last("take the port");
    return socket;
}

uint16_t port_of(const Fd& socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

// Docker's words.
std::string refusal(const PortRequest& request, int error) {
    const bool range = request.first_host_port != request.last_host_port;
    const std::string ports =
        std::to_string(request.first_host_port) + (range ? "-" + std::to_string(request.last_host_port) : "");
    const std::string what = "Bind for " + text_of(request.host) + ":" + ports + " failed: ";
    if (error == EADDRINUSE)
        return what + (range ? "all ports are allocated" : "port is already allocated");
    if (error == EADDRNOTAVAIL)
        return what + "the host has no such address";
    return what + strerrordesc_np(error);
}

std::string record_text(const std::vector<net::PortMapping>& mappings) {
    auto ports = nlohmann::ordered_json::array();
    for (const net::PortMapping& mapping : mappings)
        ports.push_back({{"protocol", mapping.protocol == IPPROTO_TCP ? "tcp" : "udp"},
                         {"hostIp", text_of(mapping.host)},
                         {"hostPort", mapping.host_port},
                         {"address", text_of(mapping.address)},
                         {"port", mapping.port}});
    return nlohmann::ordered_json{{"version", 1}, {"ports", std::move(ports)}}.dump();
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
    raise_descriptor_limit();
    if (!config.table.empty()) {
        auto map = net::PortMap::open(config.table);
        if (!map)
            return map.error().message();
        map_.emplace(std::move(*map));
    }
    std::string refused;
    for (const PortRequest& request : config.publish)
        if (refused = take(request); !refused.empty())
            break;
    if (refused.empty())
        if (auto announced = announce(); !announced)
            refused = announced.error().message();
    if (!refused.empty())
        close();
    return refused;
}

std::string PublishedPorts::take(const PortRequest& request) {
    int error = EADDRINUSE;
    for (unsigned port = request.first_host_port; port <= request.last_host_port; ++port) {
        auto socket = hold(request.protocol, request.host, static_cast<uint16_t>(port));
        if (socket) {
            mappings_.push_back(
                {request.protocol, request.host, port_of(*socket), request.address, request.port});
            sockets_.push_back(std::move(*socket));
            return {};
        }
        error = socket.error().code;
        if (error != EADDRINUSE)
            break;
    }
    return refusal(request, error);
}

// First the record: whoever has to make the table anew finds there what belongs into its maps. A table that is gone is made
// anew by the next start of a container.
Result<void> PublishedPorts::announce() {
    auto lock = lock_networks(directory_);
    if (!lock)
        return lock.error();
    const std::string id = directory_.substr(directory_.rfind('/') + 1);
    auto record =
        LiveRecord::create(networks_directory(directory_) + "/.ports/" + id, record_text(mappings_));
    if (!record)
        return record.error();
    record_ = std::move(*record);
    if (!map_) {
        sockets_.clear();
        return {};
    }
    auto mapped = map_->add(mappings_);
    if (mapped)
        return net::forget_other_flows(mappings_);
    if (mapped.error().code != ENOENT)
        return mapped;
    dprintf(STDERR_FILENO, "hrun-vmm: the firewall's rules are gone: ports are published when any "
                           "container is started\n");
    return {};
}

// Under the lock: nobody makes the table anew from a record that is about to go.
void PublishedPorts::close() {
    if (mappings_.empty())
        return;
    const auto lock = lock_networks(directory_);
    if (auto unmapped = map_ ? map_->remove(mappings_) : Result<void>(); !unmapped)
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", unmapped.error().message().c_str());
    record_.remove();
    mappings_.clear();
    sockets_.clear();
}

void PublishedPorts::forget() {
    map_.reset();
    record_.forget();
    mappings_.clear();
    sockets_.clear();
}

} // namespace hrun::monitor
