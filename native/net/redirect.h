// SPDX-License-Identifier: Apache-2.0
// Has all that comes in by one interface leave by another (tc-mirred(8)): two of these make a wire of them.
#pragma once

#include <string>

#include "net/netlink.h"

namespace hrun::net {

// What comes in by the interface of `index`, and what its other filters let pass (TC_ACT_UNSPEC), leaves by that of `to`; where it led
// before is forgotten. The clsact qdisc is made unless it is there.
Result<void> redirect(Netlink& netlink, int index, const std::string& name, int to);

} // namespace hrun::net
