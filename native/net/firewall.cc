// SPDX-License-Identifier: Apache-2.0
#include "net/firewall.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "net/netlink.h"

namespace hrun::net {

namespace {

constexpr uint16_t nf_tables_type(uint16_t message) {
    return static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

} // namespace

Result<bool> has_rule(const std::string& table, const std::string& chain) {
    auto netlink = Netlink::open(NETLINK_NETFILTER);
    if (!netlink)
        return netlink.error();
    nfgenmsg head{};
    head.nfgen_family = NFPROTO_INET;
    head.version = NFNETLINK_V0;
    Message question(nf_tables_type(NFT_MSG_GETRULE), NLM_F_DUMP, head);
    question.put(NFTA_RULE_TABLE, table).put(NFTA_RULE_CHAIN, chain);
    bool found = false;
    auto done =
        netlink->dump(question, "look for firewall rules", [&](uint16_t type, std::span<const std::byte>) {
            found |= type == nf_tables_type(NFT_MSG_NEWRULE);
        });
    if (!done && done.error().code != ENOENT)
        return done.error();
    return found;
}

} // namespace hrun::net
