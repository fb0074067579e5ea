// SPDX-License-Identifier: Apache-2.0
// Which network interfaces a vm.json that a monitor may have written can ask for: those whose addresses the store has given to the
// container. <store>/networks is out of the reach of monitors in their jails.
#pragma once

#include <string>
#include <vector>

#include "monitor/config.h"

namespace hrun::monitor {

// True when each interface is on the bridge of a network, with addresses leased to the container of this directory, and its tap is none
// of another's; or in the namespace that its CNI network has.
bool are_leased(const std::vector<NicConfig>& nics, const std::string& directory);

// Has none of `nics` a higher rate than those of `before`, which are all the same: a machine that may have been taken over does not raise its own.
void keep_rates(std::vector<NicConfig>& nics, const std::vector<NicConfig>& before);

// Has `ports` lead to the addresses that `wanted` says of the same ports, if they are those of `nics`; the others lead nowhere.
void redirect_ports(PortsConfig& ports, const PortsConfig& wanted, const std::vector<NicConfig>& nics);

} // namespace hrun::monitor
