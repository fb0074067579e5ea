// SPDX-License-Identifier: Apache-2.0
#include "monitor/connections.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "monitor/plugin_network.h"
#include "net/namespace.h"

namespace hrun::monitor {

namespace {

bool is_unconnected(const NicConfig& nic) {
    return nic.bridge.empty() && !nic.inside && !nic.passt;
}

} // namespace

// Ports come first: they are what others may have.
void Connections::open(Container& container) {
    for (const NicConfig& nic : container.config.nics) {
        if (nic.inside)
            plugin_record_ = plugin_record(container.path);
        if (is_unconnected(nic)) {
            container.refusal = "its interface in slot " + std::to_string(nic.slot) + " has no bridge";
            return;
        }
    }
    std::vector<Nic> waiting = std::exchange(container.nics, {});
    container.refusal = ports_.open(container.config.ports, container.path);
    if (!container.refusal.empty())
        return;
    if (auto named = names_.open(container.config.nics, container.path); !named)
        container.refusal = named.error().message();
    else
        for (const NicConfig& nic : container.config.nics)
            container.nics.push_back({nic, open_backend(nic, waiting)});
}

void Connections::open_unconnected(Container& container) {
    for (const NicConfig& nic : container.config.nics)
        container.nics.push_back({nic, open_tap(nic)});
}

void Connections::open_hidden(Container& container) {
    if (container.config.nics.empty())
        return;
    const auto hidden = net::in_new_namespace([&]() -> Result<void> {
        open_unconnected(container);
        return {};
    });
    if (!hidden) // a host that allows none
        open_unconnected(container);
}

Result<std::vector<Fd>> Connections::open_backend(const NicConfig& nic, std::vector<Nic>& waiting) {
    const auto own = std::find_if(waiting.begin(), waiting.end(),
                                  [&nic](const Nic& each) { return each.config.tap == nic.tap; });
    if (own != waiting.end()) {
        const auto connected = connect_tap(nic);
        return connected ? std::move(own->backend) : connected.error();
    }
    if (!nic.passt)
        return open_tap(nic);
    auto socket = passt_.start(nic, ports_.mappings());
    if (!socket)
        return socket.error();
    std::vector<Fd> backend;
    backend.push_back(std::move(*socket));
    return backend;
}

void Connections::pause(const Container& container) {
    if (auto hushed = names_.hush(container.config.nics, container.path); !hushed)
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", hushed.error().message().c_str());
    passt_.stop();
    ports_.close();
}

void Connections::close() {
    names_.close();
    passt_.stop();
    ports_.close();
    leave_plugins();
}

void Connections::forget_flows() {
    if (auto forgotten = ports_.forget_flows(); !forgotten)
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", forgotten.error().message().c_str());
}

// What fails is tried again by the next command that looks for what is left over.
void Connections::leave_plugins() {
    if (plugin_record_.empty())
        return;
    const std::string failure = leave_plugin_network(std::exchange(plugin_record_, {}));
    if (!failure.empty())
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", failure.c_str());
}

void Connections::forget() {
    names_.forget();
    ports_.forget();
    plugin_record_.clear();
}

} // namespace hrun::monitor
