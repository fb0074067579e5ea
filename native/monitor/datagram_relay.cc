// SPDX-License-Identifier: Apache-2.0
#include "monitor/datagram_relay.h"

#include <sys/socket.h>

#include <vector>

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kSilence = 60s; // as conntrack remembers a flow of UDP
constexpr size_t kMostClients = 256;
constexpr size_t kMostBytes = 65536;

std::string key_of(const sockaddr_in6& address) {
    std::string key(reinterpret_cast<const char*>(&address.sin6_addr), sizeof address.sin6_addr);
    return key.append(reinterpret_cast<const char*>(&address.sin6_port), sizeof address.sin6_port);
}

} // namespace

DatagramRelay::DatagramRelay(EventLoop& loop, int port, Open open_socket, IsClient is_client)
    : loop_(loop), port_(port), open_socket_(std::move(open_socket)), is_client_(std::move(is_client)) {
    if (auto watch = loop_.watch(port_, EPOLLIN, [this](uint32_t) { take(); }))
        watch_ = std::move(*watch);
}

void DatagramRelay::take() {
    std::vector<char> bytes(kMostBytes);
    sockaddr_in6 from{};
    socklen_t size = sizeof from;
    const ssize_t count =
        recvfrom(port_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 0 || size != sizeof from || !is_client_(from))
        return;
    Client* client = client_of(from);
    if (!client)
        return;
    client->silence = loop_.after(kSilence, [this, key = key_of(from)] { clients_.erase(key); });
    send(client->socket.get(), bytes.data(), static_cast<size_t>(count), MSG_NOSIGNAL);
}

DatagramRelay::Client* DatagramRelay::client_of(const sockaddr_in6& address) {
    const std::string key = key_of(address);
    if (const auto found = clients_.find(key); found != clients_.end())
        return &found->second;
    Fd socket = clients_.size() < kMostClients ? open_socket_() : Fd();
    if (!socket.valid())
        return nullptr;
    auto watch = loop_.watch(socket.get(), EPOLLIN, [this, key](uint32_t) { answer(key); });
    if (!watch)
        return nullptr;
    return &clients_.emplace(key, Client{address, std::move(socket), std::move(*watch), {}}).first->second;
}

// What the machine refuses (ICMP) is an error of the socket, which is over with it.
void DatagramRelay::answer(const std::string& key) {
    const auto found = clients_.find(key);
    if (found == clients_.end())
        return;
    std::vector<char> bytes(kMostBytes);
    Client& client = found->second;
    const ssize_t count = recv(client.socket.get(), bytes.data(), bytes.size(), 0);
    if (count < 0)
        return;
    client.silence = loop_.after(kSilence, [this, key] { clients_.erase(key); });
    sendto(port_, bytes.data(), static_cast<size_t>(count), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&client.address), sizeof client.address);
}

} // namespace hrun::monitor
