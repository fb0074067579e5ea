// SPDX-License-Identifier: Apache-2.0
#include "net/allowed_addresses.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <vector>

namespace hrun::net {

namespace {

constexpr char kSet[] = "named_", kSet6[] = "named6_";
constexpr size_t kIdDigits = 16; // as ID_DIGITS of src/network/egress-rules.ts
constexpr uint64_t kMilliseconds = 1000;
constexpr char kWhat[] = "allow an address";

} // namespace

Result<AllowedAddresses> AllowedAddresses::open(std::string table) {
    auto netlink = Netlink::open(NETLINK_NETFILTER);
    if (!netlink)
        return netlink.error();
    return AllowedAddresses(std::move(table), std::move(*netlink));
}

Message AllowedAddresses::element(uint16_t change, bool last, const std::string& set, const Ip& address,
                                  uint32_t seconds) const {
    nfgenmsg head{};
    head.nfgen_family = NFPROTO_INET;
    head.version = NFNETLINK_V0;
    const bool adds = change == NFT_MSG_NEWSETELEM;
    const int flags = (adds ? NLM_F_CREATE : 0) | (last ? NLM_F_ACK : 0);
    const uint64_t timeout = htobe64(seconds * kMilliseconds);
    Message message(static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | change), static_cast<uint16_t>(flags),
                    head);
    message.put(NFTA_SET_ELEM_LIST_TABLE, table_).put(NFTA_SET_ELEM_LIST_SET, set);
    message.begin_nested(NFTA_SET_ELEM_LIST_ELEMENTS).begin_nested(NFTA_LIST_ELEM);
    message.begin_nested(NFTA_SET_ELEM_KEY);
    message.put(NFTA_DATA_VALUE, address.value()).end_nested();
    if (adds)
        message.put(NFTA_SET_ELEM_TIMEOUT, std::as_bytes(std::span(&timeout, 1)));
    message.end_nested().end_nested();
    return message;
}

// An element that is there keeps its time: it is replaced.
Result<void> AllowedAddresses::allow(const std::string& id, const Ip& address, uint32_t seconds) {
    const std::string set = (address.family == AF_INET ? kSet : kSet6) + id.substr(0, kIdDigits);
    std::vector<Message> replace{element(NFT_MSG_DELSETELEM, false, set, address, seconds),
                                 element(NFT_MSG_NEWSETELEM, true, set, address, seconds)};
    auto done = netlink_.transaction(replace, NFNL_SUBSYS_NFTABLES, kWhat);
    if (done || done.error().code != ENOENT)
        return done;
    std::vector<Message> add{element(NFT_MSG_NEWSETELEM, true, set, address, seconds)};
    return netlink_.transaction(add, NFNL_SUBSYS_NFTABLES, kWhat);
}

} // namespace hrun::net
