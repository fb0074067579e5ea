// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/hybrid_vsock.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/unix_socket.h"

namespace hrun::virtio {

namespace {

constexpr size_t kMaxLine = 32; // "CONNECT 4294967295\n" has 19 bytes
constexpr auto kLineLimit = std::chrono::seconds(10);

// The port of a line "CONNECT <port>".
std::optional<uint32_t> parse_connect(std::string_view line) {
    constexpr std::string_view kCommand = "CONNECT ";
    if (!line.starts_with(kCommand))
        return std::nullopt;
    line.remove_prefix(kCommand.size());
    uint32_t port = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), port);
    if (error != std::errc{} || end != line.data() + line.size())
        return std::nullopt;
    return port;
}

// Answers a client; its socket buffer is empty, so the line always fits.
void send_ok(int socket, uint32_t host_port) {
    const std::string line = "OK " + std::to_string(host_port) + "\n";
    [[maybe_unused]] const ssize_t sent = send(socket, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

} // namespace

void HybridVsock::close() {
    if (!listener_.valid())
        return;
    listening_.reset();
    listener_.reset();
    clients_.clear();
    unlinkat(directory_, name_.c_str(), 0);
}

Result<void> HybridVsock::listen(VsockDevice& device) {
    return listen([&device](uint32_t guest_port, Fd socket, VsockConnection::Connected connected) {
        return device.connect(guest_port, std::move(socket), std::move(connected));
    });
}

Result<void> HybridVsock::listen(Connect connect) {
    auto listener = listen_unix(directory_, name_);
    if (!listener)
        return listener.error();
    auto listening = loop_.watch(listener->get(), EPOLLIN | EPOLLET, [this](uint32_t) { accept_clients(); });
    if (!listening)
        return listening.error();
    connect_ = std::move(connect);
    listener_ = std::move(*listener);
    listening_ = std::move(*listening);
    return {};
}

Result<Fd> HybridVsock::accept_from_guest(uint32_t host_port) const {
    return connect_unix(directory_, name_ + "_" + std::to_string(host_port));
}

// Until none is left, or no descriptor for it; then the next client is the next chance.
void HybridVsock::accept_clients() {
    for (auto socket = accept_unix(listener_.get()); socket; socket = accept_unix(listener_.get()))
        if (clients_.size() < kMaxGreeting)
            greet(std::move(*socket));
}

void HybridVsock::greet(Fd socket) {
    const Entry client = clients_.insert(clients_.end(), Client{std::move(socket), {}, {}});
    auto watch =
        loop_.watch(client->socket.get(), EPOLLIN | EPOLLET, [this, client](uint32_t) { read_line(client); });
    if (!watch) {
        clients_.erase(client);
        return;
    }
    client->watch = std::move(*watch);
    client->limit = loop_.after(kLineLimit, [this, client] { clients_.erase(client); });
}

// Looks at the bytes first and takes the line alone: what follows it belongs to the guest.
void HybridVsock::read_line(Entry client) {
    char bytes[kMaxLine];
    const ssize_t count = recv(client->socket.get(), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    const std::string_view seen(bytes, count > 0 ? static_cast<size_t>(count) : 0);
    const size_t end = seen.find('\n');
    if (end == seen.npos && count > 0 && seen.size() < sizeof bytes)
        return;
    const auto port = end == seen.npos ? std::nullopt : parse_connect(seen.substr(0, end));
    if (!port || recv(client->socket.get(), bytes, end + 1, MSG_DONTWAIT) < 0)
        clients_.erase(client);
    else
        connect_client(client, *port);
}

// The device owns the socket from now on. Answering needs no descriptor of its own: a connection that was refused
// closes it, which is the answer.
void HybridVsock::connect_client(Entry client, uint32_t guest_port) {
    Fd socket = std::move(client->socket);
    client->watch.reset();
    clients_.erase(client);
    const int answer = socket.get();
    [[maybe_unused]] const auto refused =
        connect_(guest_port, std::move(socket), [answer](Result<VsockKey> key) {
            if (key)
                send_ok(answer, key->host_port);
        });
}

} // namespace hrun::virtio
