// SPDX-License-Identifier: Apache-2.0
#include "monitor/nic.h"

#include "devices/virtio/net_tap.h"
#include "net/links.h"
#include "net/namespace.h"

namespace hrun::monitor {

namespace {

Result<std::vector<Fd>> open_inside(const NicConfig& config) {
    Result<std::vector<Fd>> taps = std::vector<Fd>();
    HRUN_TRY(net::in_namespace(config.inside->name_space, [&]() -> Result<void> {
        auto links = net::Links::open();
        if (!links)
            return links.error();
        taps = virtio::NetTap::open(config.tap, config.queue_pairs);
        if (!taps)
            return taps.error();
        if (config.queue_pairs > 1)
            HRUN_TRY(links->keep_no_packets(config.tap));
        return links->splice(
            config.tap, {config.inside->interface, {config.mac, config.addresses}, config.mtu, config.rates});
    }));
    return taps;
}

Result<void> connect(net::Links& links, const NicConfig& config) {
    return links.connect(config.tap,
                         {config.bridge, {config.mac, config.addresses}, config.mtu, config.rates});
}

// Of this thread's namespace. One that is gone needs no limit.
Result<void> limit_tap(const NicConfig& config) {
    auto links = net::Links::open();
    if (!links)
        return links.error();
    auto done = links->limit(config.tap, config.rates);
    return !done && done.error().code == ENODEV ? Result<void>() : done;
}

} // namespace

Result<std::vector<Fd>> open_tap(const NicConfig& config) {
    if (config.inside)
        return open_inside(config);
    auto links = net::Links::open();
    if (!links)
        return links.error();
    auto taps = virtio::NetTap::open(config.tap, config.queue_pairs);
    if (!taps)
        return taps;
    if (config.queue_pairs > 1)
        HRUN_TRY(links->keep_no_packets(config.tap));
    if (!config.bridge.empty())
        HRUN_TRY(connect(*links, config));
    return taps;
}

Result<void> connect_tap(const NicConfig& config) {
    auto links = net::Links::open();
    return links ? connect(*links, config) : links.error();
}

Result<void> limit_nics(const std::vector<NicConfig>& configs) {
    for (const NicConfig& config : configs)
        HRUN_TRY(config.inside
                     ? net::in_namespace(config.inside->name_space, [&config] { return limit_tap(config); })
                     : limit_tap(config));
    return {};
}

} // namespace hrun::monitor
