// SPDX-License-Identifier: Apache-2.0
// Looking at the kernel's packet filter (nf_tables, linux/netfilter/nf_tables.h). Changing it is nft(8)'s business.
#pragma once

#include <string>

#include "base/result.h"

namespace hrun::net {

// True if there is a rule in this chain of the table of family inet. EPERM without CAP_NET_ADMIN.
Result<bool> has_rule(const std::string& table, const std::string& chain);

} // namespace hrun::net
