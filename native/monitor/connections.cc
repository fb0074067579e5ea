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
        container.nics = open_nics(container.config.nics);
}

void Connections::pause(const Container& container) {
    if (auto hushed = names_.hush(container.config.nics, container.path); !hushed)
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", hushed.error().message().c_str());
    ports_.close();
}

void Connections::close() {
    names_.close();
    ports_.close();
}

void Connections::forget() {
    names_.forget();
    ports_.forget();
}

} // namespace hrun::monitor
