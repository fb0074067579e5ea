// SPDX-License-Identifier: Apache-2.0
// What a port lets in: packets that come from the station behind it and say so. A program for the kernel's packet filter
// (Documentation/networking/filter.rst) on the port's ingress, which goes with the port.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "net/address.h"
#include "net/netlink.h"

namespace hrun::net {

struct Source {
    Mac mac;
    std::vector<Address> addresses; // IPv4 and IPv6; whole, whatever their prefix
};

// Ethernet frames from `mac` that are
//  - IPv4 from one of the addresses, and not to a loopback's (a bridge lets these in where ports are published on 127.0.0.1);
//  - ARP that tells of these alone (an address probe, RFC 5227, tells of none);
//  - if there is an IPv6 address: IPv6 from one of these or from the link-local address that `mac` makes (RFC 4291, appendix A),
//    that is no router's word (RFC 4861: advertisement, redirect), and of whose neighbour the word is its own address and MAC. No
//    extension header but a fragment's: nothing hides behind one, and no multicast query makes the bridge a listener's servant.
// Returns TC_ACT_SHOT for all others. For these TC_ACT_OK, which ends the matter, or with kAskNext TC_ACT_UNSPEC: the filters behind it are asked.
enum class Passed { kTaken, kAskNext };
std::vector<sock_filter> source_program(const Source& source, Passed passed = Passed::kTaken);

// Has the kernel ask the program about every packet that comes in by the interface. Its qdisc is made: EEXIST when it has one.
Result<void> attach_source_filter(Netlink& netlink, int index, const std::string& name, const Source& source,
                                  Passed passed = Passed::kTaken);

} // namespace hrun::net
