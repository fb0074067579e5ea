// SPDX-License-Identifier: Apache-2.0
// What commands have changed of a container since its keeper was started.
#include "monitor/keeper.h"
#include "monitor/leased_nics.h"

namespace hrun::monitor {

// `hrun update` may have changed it. Whoever has taken over the monitor may have, too: then its container runs more often.
void Keeper::renew_restart_policy() {
    const auto config = read_config(container_.directory.get());
    if (const Config* read = std::get_if<Config>(&config))
        restarts_.set_policy(read->restart);
}

// The same. What is told to the guest is the guest's to change anyway.
void Keeper::renew_guest_limits() {
    if (auto configure = read_configure(container_.directory.get()))
        container_.configure = std::move(*configure);
}

// `hrun network` may have changed them. Only what is the container's in the store, out of the reach of who may have taken over the
// monitor, is taken up; ports stay but for the address that they lead to.
void Keeper::renew_networks() {
    const auto read = read_config(container_.directory.get());
    const Config* config = std::get_if<Config>(&read);
    if (!config || !are_leased(config->nics, container_.path))
        return;
    auto nics = config->nics;
    keep_rates(nics, container_.config.nics);
    container_.config.nics = std::move(nics);
    redirect_ports(container_.config.ports, config->ports, config->nics);
}

// The interfaces come and go by the monitor (monitor/nic_plug.h); what leads to them is ours.
void Keeper::follow_networks() {
    if (role_ != Role::kContainer)
        return;
    renew_networks();
    connections_.redirect(container_);
}

} // namespace hrun::monitor
