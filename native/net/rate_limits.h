// SPDX-License-Identifier: Apache-2.0
// How many bytes a second a port lets through, each way, by a token bucket of the kernel. What is set goes with the port.
#pragma once

#include <cstdint>
#include <string>

#include "net/netlink.h"

namespace hrun::net {

// Bytes a second, seen from the station behind the port; 0: no limit.
struct Rates {
    uint64_t in = 0;
    uint64_t out = 0;

    bool operator==(const Rates&) const = default;
};

// Where in the order of filters on a port's ingress the rate is looked at: before the source filter, which has the last word.
constexpr uint32_t kRatePreference = 1;
constexpr uint32_t kSourcePreference = 2;
constexpr uint32_t kRedirectPreference = 3; // redirect.h

// Sets both rates of an interface, whatever they were. What goes in is queued for up to 100 ms (tbf, tc-tbf(8)); what comes out, which
// Linux cannot queue without another interface that would have to be cleared away, is dropped beyond the rate, up to 200 ms of it
// at once (a program for the kernel, bpf(2)). Needs the clsact qdisc if anything is to come out at a rate, CAP_NET_ADMIN, and CAP_BPF then.
Result<void> limit_rates(Netlink& netlink, int index, const std::string& name, const Rates& rates);

} // namespace hrun::net
