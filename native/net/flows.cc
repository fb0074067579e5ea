// SPDX-License-Identifier: Apache-2.0
#include "net/flows.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "net/netlink.h"

namespace hrun::net {

namespace {

struct Flow {
    Ip destination;
    uint16_t destination_port;
    Ip reply_source; // where its packets lead
};

constexpr uint16_t conntrack_type(uint16_t message) {
    return static_cast<uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | message);
}

nfgenmsg head_for(int family) {
    nfgenmsg head{};
    head.nfgen_family = static_cast<uint8_t>(family);
    head.version = NFNETLINK_V0;
    return head;
}

std::optional<Ip> address_in(std::span<const std::byte> tuple, uint16_t of_ipv4, uint16_t of_ipv6) {
    auto parts = attributes(attributes(tuple)[CTA_TUPLE_IP]);
    return ip_of(parts[of_ipv4].empty() ? parts[of_ipv6] : parts[of_ipv4]);
}

// Of an entry of the list, if it is one of UDP.
std::optional<Flow> udp_flow(std::span<const std::byte> original, std::span<const std::byte> reply) {
    auto protocol = attributes(attributes(original)[CTA_TUPLE_PROTO]);
    const auto number = protocol[CTA_PROTO_NUM], port = protocol[CTA_PROTO_DST_PORT];
    const auto destination = address_in(original, CTA_IP_V4_DST, CTA_IP_V6_DST),
               source = address_in(reply, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
    if (number.size() != 1 || number[0] != std::byte{IPPROTO_UDP} || port.size() != 2 || !destination ||
        !source)
        return std::nullopt;
    uint16_t network_order;
    memcpy(&network_order, port.data(), sizeof network_order);
    return Flow{*destination, ntohs(network_order), *source};
}

bool is_for(const Flow& flow, const PortMapping& mapping) {
    return mapping.protocol == IPPROTO_UDP && mapping.host_port == flow.destination_port &&
           mapping.host.family == flow.destination.family &&
           (mapping.host.is_any() || mapping.host == flow.destination);
}

bool leads_elsewhere(const Flow& flow, std::span<const PortMapping> mappings) {
    return std::any_of(mappings.begin(), mappings.end(), [&flow](const PortMapping& mapping) {
        return is_for(flow, mapping) && flow.reply_source != mapping.address;
    });
}

} // namespace

Result<Flows> Flows::open() {
    auto netlink = Netlink::open(NETLINK_NETFILTER);
    if (!netlink)
        return netlink.error();
    return Flows(std::move(*netlink));
}

Result<void> Flows::forget_others_of(int family, std::span<const PortMapping> mappings) {
    if (std::none_of(mappings.begin(), mappings.end(), [family](const PortMapping& mapping) {
            return mapping.protocol == IPPROTO_UDP && mapping.host.family == family;
        }))
        return {};
    std::vector<std::vector<std::byte>> others; // their original tuples, as they came
    Message question(conntrack_type(IPCTNL_MSG_CT_GET), NLM_F_DUMP, head_for(family));
    auto listed = netlink_.dump(question, "list flows", [&](uint16_t, std::span<const std::byte> payload) {
        if (payload.size() < sizeof(nfgenmsg))
            return;
        auto entry = attributes(payload.subspan(NLMSG_ALIGN(sizeof(nfgenmsg))));
        const auto original = entry[CTA_TUPLE_ORIG];
        if (const auto flow = udp_flow(original, entry[CTA_TUPLE_REPLY]);
            flow && leads_elsewhere(*flow, mappings))
            others.emplace_back(original.begin(), original.end());
    });
    if (!listed)
        return listed.error().code == EOPNOTSUPP || listed.error().code == EINVAL ? Result<void>() : listed;
    for (const auto& tuple : others) {
        Message removal(conntrack_type(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, head_for(family));
        removal.put(CTA_TUPLE_ORIG | NLA_F_NESTED, std::span<const std::byte>(tuple));
        if (auto removed = netlink_.request(removal, "forget a flow");
            !removed && removed.error().code != ENOENT)
            return removed;
    }
    return {};
}

Result<void> Flows::forget_others(std::span<const PortMapping> mappings) {
    HRUN_TRY(forget_others_of(AF_INET, mappings));
    return forget_others_of(AF_INET6, mappings);
}

Result<void> Flows::forget(std::vector<PortMapping> mappings) {
    for (PortMapping& mapping : mappings)
        mapping.address = Ip{mapping.host.family, {}}; // where no flow leads
    return forget_others(mappings);
}

} // namespace hrun::net
