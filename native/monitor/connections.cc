// SPDX-License-Identifier: Apache-2.0
#include "monitor/connections.h"

#include <unistd.h>

#include <cstdio>

namespace hrun::monitor {

// Ports come first: they are what others may have.
void Connections::open(Container& container) {
    container.refusal = ports_.open(container.config.ports, container.path);
    if (!container.refusal.empty())
        return;
    if (auto named = names_.open(container.config.nics, container.path); !named)
        container.refusal = named.error().message();
    else
        for (const NicConfig& nic : container.config.nics)
            container.nics.push_back({nic, open_backend(nic)});
}

Result<Fd> Connections::open_backend(const NicConfig& nic) {
    return nic.passt ? passt_.start(nic, ports_.mappings()) : open_tap(nic);
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
}

void Connections::forget() {
    names_.forget();
    ports_.forget();
}

} // namespace hrun::monitor
