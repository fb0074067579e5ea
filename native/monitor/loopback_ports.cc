// SPDX-License-Identifier: Apache-2.0
#include "monitor/loopback_ports.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include "jail/filter.h"
#include "jail/limits.h"
#include "jail/privileges.h"
#include "monitor/datagram_relay.h"
#include "monitor/stream_relay.h"

namespace hrun::monitor {

namespace {

constexpr int kBacklog = 128;
constexpr size_t kMostConnections = 512;
constexpr uint64_t kDescriptors = 4096; // ports, and two of each connection

struct ServedPort {
    int socket;
    net::PortMapping mapping;
};

bool is_served(const net::PortMapping& mapping) {
    const Ip loopback = *parse_ip("::1");
    return mapping.host.family == AF_INET6 && (mapping.host.is_any() || mapping.host == loopback);
}

// Others come here only when the firewall's rules are gone.
bool is_loopback(const sockaddr_in6& address) {
    return memcmp(&address.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0;
}

Fd connect_to(const net::PortMapping& mapping, int type) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(mapping.port);
    memcpy(&address.sin6_addr, mapping.address.bytes.data(), sizeof address.sin6_addr);
    Fd socket(::socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.valid() &&
        connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 &&
        errno != EINPROGRESS)
        socket.reset();
    return socket;
}

// All that the process does.
class Server {
  public:
    explicit Server(EventLoop& loop) : loop_(loop) {}

    Result<void> serve(const ServedPort& port) {
        if (port.mapping.protocol == IPPROTO_UDP) {
            const auto open_socket = [mapping = port.mapping] { return connect_to(mapping, SOCK_DGRAM); };
            datagrams_.push_back(
                std::make_unique<DatagramRelay>(loop_, port.socket, open_socket, is_loopback));
            return {};
        }
        auto watch = loop_.watch(port.socket, EPOLLIN, [this, port](uint32_t) { take(port); });
        if (!watch)
            return watch.error();
        listeners_.push_back(std::move(*watch));
        return {};
    }

  private:
    void take(const ServedPort& port) {
        sockaddr_in6 from{};
        socklen_t size = sizeof from;
        Fd client(
            accept4(port.socket, reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!client.valid() || !is_loopback(from) || connections_.size() >= kMostConnections)
            return;
        Fd machine = connect_to(port.mapping, SOCK_STREAM);
        if (!machine.valid())
            return;
        const uint64_t number = ++last_;
        connections_[number] = std::make_unique<StreamRelay>(loop_, std::move(client), std::move(machine),
                                                             [this, number] { connections_.erase(number); });
    }

    EventLoop& loop_;
    std::vector<Watch> listeners_;
    std::vector<std::unique_ptr<DatagramRelay>> datagrams_;
    uint64_t last_ = 0;
    std::map<uint64_t, std::unique_ptr<StreamRelay>> connections_;
};

// The keeper's own, a container's locks among them, are not for this process.
void close_others(std::vector<int> kept) {
    std::sort(kept.begin(), kept.end());
    unsigned first = STDERR_FILENO + 1;
    for (const int fd : kept) {
        if (static_cast<unsigned>(fd) > first)
            close_range(first, static_cast<unsigned>(fd) - 1, 0);
        first = std::max(first, static_cast<unsigned>(fd) + 1);
    }
    close_range(first, ~0u, 0);
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
}

Result<void> enter_jail(int lifeline) {
    HRUN_TRY(jail::die_with_parent(lifeline));
    HRUN_TRY(jail::set_limits(kDescriptors));
    HRUN_TRY(jail::drop_privileges());
    HRUN_TRY(jail::become_opaque());
    return jail::Filter::of_thread(jail::ThreadKind::kPortRelay, getpid()).install();
}

Result<void> serve_all(const std::vector<ServedPort>& ports, int lifeline) {
    std::vector<int> kept{lifeline};
    for (const ServedPort& port : ports)
        kept.push_back(port.socket);
    close_others(std::move(kept));
    auto loop = EventLoop::create();
    if (!loop)
        return loop.error();
    Server server(**loop);
    for (const ServedPort& port : ports) {
        if (port.mapping.protocol == IPPROTO_TCP && listen(port.socket, kBacklog) < 0)
            return Error::last("listen on ::1");
        HRUN_TRY(server.serve(port));
    }
    HRUN_TRY(enter_jail(lifeline));
    return (*loop)->run();
}

} // namespace

Result<void> LoopbackPorts::start(std::span<const net::PortMapping> mappings, std::span<const Fd> sockets) {
    std::vector<ServedPort> ports;
    for (size_t i = 0; i < mappings.size(); ++i)
        if (is_served(mappings[i]))
            ports.push_back({sockets[i].get(), mappings[i]});
    if (ports.empty())
        return {};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return Error::last("create a link");
    Fd ours(ends[0]), theirs(ends[1]);
    const pid_t pid = fork();
    if (pid < 0)
        return Error::last("serve ports on ::1");
    if (pid == 0) {
        ours.reset();
        const auto served = serve_all(ports, theirs.get());
        if (!served)
            dprintf(STDERR_FILENO, "hrun-vmm: ports on ::1: %s\n", served.error().message().c_str());
        _exit(1);
    }
    process_ = pid;
    lifeline_ = std::move(ours);
    return {};
}

void LoopbackPorts::stop() {
    if (process_ == 0)
        return;
    kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
    forget();
}

void LoopbackPorts::forget() {
    process_ = 0;
    lifeline_.reset();
}

} // namespace hrun::monitor
