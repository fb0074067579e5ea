// SPDX-License-Identifier: Apache-2.0
#include "monitor/control_server.h"

#include <fcntl.h>

#include <algorithm>

#include "base/unix_socket.h"

namespace hrun::monitor {

Result<void> ControlServer::listen(Fd listener, Fd first) {
    auto watch = loop_.watch(listener.get(), EPOLLIN | EPOLLET, [this](uint32_t) { accept_clients(); });
    if (!watch)
        return watch.error();
    listener_ = std::move(listener);
    watch_ = std::move(*watch);
    if (first.valid() && fcntl(first.get(), F_SETFL, O_NONBLOCK) == 0 &&
        fcntl(first.get(), F_SETFD, FD_CLOEXEC) == 0)
        add(std::move(first), true);
    return {};
}

void ControlServer::close() {
    if (!listener_.valid())
        return;
    leave();
    unlinkat(directory_, kName, 0);
}

void ControlServer::leave() {
    watch_.reset();
    listener_.reset();
}

void ControlServer::accept_clients() {
    for (auto socket = accept_unix(listener_.get()); socket; socket = accept_unix(listener_.get()))
        if (clients_.size() < kMaxClients)
            add(std::move(*socket), false);
}

void ControlServer::add(Fd socket, bool first) {
    clients_.emplace_back(loop_, events_, std::move(socket), first);
    if (!clients_.back().start())
        clients_.pop_back();
}

void ControlServer::remove(const Client& client) {
    clients_.remove_if([&](const Client& other) { return &other == &client; });
}

std::optional<uint64_t> ControlServer::needed_from(size_t output) const {
    std::optional<uint64_t> least;
    for (const Client& client : clients_)
        if (const auto position = client.needs(output))
            least = std::min(least.value_or(UINT64_MAX), *position);
    return least;
}

} // namespace hrun::monitor
