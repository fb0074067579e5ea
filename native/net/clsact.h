// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "net/netlink.h"

namespace hrun::net {

// Gives an interface the qdisc that filters hang on (tc(8), clsact). EEXIST when it has one; errors say that they are of `what`.
Result<void> add_clsact(Netlink& netlink, int index, const std::string& what);

} // namespace hrun::net
