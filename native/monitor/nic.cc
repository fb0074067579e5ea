// SPDX-License-Identifier: Apache-2.0
#include "monitor/nic.h"

#include "devices/virtio/net_tap.h"
#include "net/links.h"

namespace hrun::monitor {

Result<Fd> open_tap(const NicConfig& config) {
    auto links = net::Links::open();
    if (!links)
        return links.error();
    auto tap = virtio::NetTap::open(config.tap);
    if (!tap)
        return tap;
    HRUN_TRY(links->connect(config.tap,
                            {config.bridge, {config.mac, config.addresses}, config.mtu, config.rates}));
    return tap;
}

Result<void> limit_nics(const std::vector<NicConfig>& configs) {
    auto links = net::Links::open();
    if (!links)
        return links.error();
    for (const NicConfig& config : configs)
        if (auto done = links->limit(config.tap, config.rates); !done && done.error().code != ENODEV)
            return done;
    return {};
}

} // namespace hrun::monitor
