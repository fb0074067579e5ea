// SPDX-License-Identifier: Apache-2.0
#include "net/interface_facts.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>

#include "net/links.h"

namespace hrun::net {

namespace {

constexpr auto kNobodys = std::byte{0xff}; // ff00::/8: multicast

std::optional<Address> address_of(std::span<const std::byte> bytes, int family, uint8_t prefix) {
    const auto ip = ip_of(bytes);
    if (!ip || ip->family != family || prefix > bytes.size() * 8)
        return std::nullopt;
    return Address{family, prefix, ip->bytes};
}

// The network that it is in.
Address masked(Address address) {
    for (size_t i = 0; i < address.bytes.size(); ++i) {
        const size_t kept = address.prefix > i * 8 ? std::min<size_t>(address.prefix - i * 8, 8) : 0;
        address.bytes[i] &= static_cast<std::byte>(0xff << (8 - kept));
    }
    return address;
}

bool is_same(const Address& one, const Address& other) {
    return one.ip() == other.ip() && one.prefix == other.prefix;
}

bool is_link_local(const Address& address) {
    return address.family == AF_INET6 && address.bytes[0] == std::byte{0xfe} &&
           (address.bytes[1] & std::byte{0xc0}) == std::byte{0x80};
}

template <class Head> std::optional<Head> head_of(std::span<const std::byte> payload) {
    Head head;
    if (payload.size() < sizeof head)
        return std::nullopt;
    memcpy(&head, payload.data(), sizeof head);
    return head;
}

template <class Head> auto attributes_behind(std::span<const std::byte> payload) {
    return attributes(payload.subspan(std::min(payload.size(), size_t{NLMSG_ALIGN(sizeof(Head))})));
}

Result<std::vector<HeldAddress>> list_addresses(Netlink& netlink, int index, const std::string& name) {
    std::vector<HeldAddress> addresses;
    Message question(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
    auto done = netlink.dump(
        question, "list the addresses of " + name, [&](uint16_t type, std::span<const std::byte> payload) {
            const auto head = head_of<ifaddrmsg>(payload);
            if (type != RTM_NEWADDR || !head || static_cast<int>(head->ifa_index) != index)
                return;
            auto found = attributes_behind<ifaddrmsg>(payload);
            const auto own = found.contains(IFA_LOCAL) ? found[IFA_LOCAL] : found[IFA_ADDRESS];
            const auto address = address_of(own, head->ifa_family, head->ifa_prefixlen);
            if (address && !is_link_local(*address))
                addresses.push_back({*address, false});
        });
    if (!done)
        return done.error();
    return addresses;
}

struct FoundRoute {
    Route route;
    bool kernels;
};

std::optional<FoundRoute> parse_route(std::span<const std::byte> payload, int index) {
    const auto head = head_of<rtmsg>(payload);
    if (!head || head->rtm_type != RTN_UNICAST || (head->rtm_flags & RTM_F_CLONED) ||
        (head->rtm_family != AF_INET && head->rtm_family != AF_INET6))
        return std::nullopt;
    auto found = attributes_behind<rtmsg>(payload);
    const uint32_t table = found.contains(RTA_TABLE) ? u32_of(found[RTA_TABLE]) : head->rtm_table;
    if (table != RT_TABLE_MAIN || static_cast<int>(u32_of(found[RTA_OIF])) != index ||
        found.contains(RTA_VIA))
        return std::nullopt;
    FoundRoute result{{{head->rtm_family, head->rtm_dst_len, {}},
                       {},
                       (head->rtm_flags & RTNH_F_ONLINK) != 0,
                       u32_of(found[RTA_PRIORITY])},
                      head->rtm_protocol == RTPROT_KERNEL};
    if (found.contains(RTA_DST)) {
        const auto destination = address_of(found[RTA_DST], head->rtm_family, head->rtm_dst_len);
        if (!destination)
            return std::nullopt;
        result.route.destination = *destination;
    }
    if (found.contains(RTA_GATEWAY))
        result.route.gateway = ip_of(found[RTA_GATEWAY]);
    return result;
}

Result<std::vector<FoundRoute>> list_routes(Netlink& netlink, int index, const std::string& name) {
    std::vector<FoundRoute> routes;
    Message question(RTM_GETROUTE, NLM_F_DUMP, rtmsg{});
    auto done = netlink.dump(
        question, "list the routes of " + name, [&](uint16_t type, std::span<const std::byte> payload) {
            auto found = type == RTM_NEWROUTE ? parse_route(payload, index) : std::nullopt;
            if (found && !is_link_local(found->route.destination) &&
                (found->route.destination.family == AF_INET || found->route.destination.bytes[0] != kNobodys))
                routes.push_back(*found);
        });
    if (!done)
        return done.error();
    return routes;
}

} // namespace

Result<std::optional<InterfaceFacts>> describe_interface(const std::string& name) {
    auto links = Links::open();
    auto netlink = Netlink::open();
    if (!links || !netlink)
        return links ? netlink.error() : links.error();
    auto link = links->find(name);
    if (!link)
        return link.error();
    if (!*link)
        return std::optional<InterfaceFacts>();
    auto addresses = list_addresses(*netlink, (*link)->index, name);
    if (!addresses)
        return addresses.error();
    auto routes = list_routes(*netlink, (*link)->index, name);
    if (!routes)
        return routes.error();
    InterfaceFacts facts{(*link)->mac, (*link)->mtu, (*link)->up, std::move(*addresses), {}};
    for (HeldAddress& held : facts.addresses)
        held.connected = held.address.prefix == held.address.value().size() * 8 ||
                         std::any_of(routes->begin(), routes->end(), [&](const FoundRoute& found) {
                             return found.kernels && is_same(found.route.destination, masked(held.address));
                         });
    for (const FoundRoute& found : *routes)
        if (!found.kernels)
            facts.routes.push_back(found.route);
    return std::optional(std::move(facts));
}

} // namespace hrun::net
