// SPDX-License-Identifier: Apache-2.0
#include "net/links.h"

#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>

#include "net/redirect.h"

namespace hrun::net {

namespace {

Mac mac_of(std::span<const std::byte> value) {
    Mac mac{};
    if (value.size() == mac.size())
        memcpy(mac.data(), value.data(), mac.size());
    return mac;
}

// 02:42 and the first IPv4 address, as the machines of a network have it. Nothing for a bridge without one.
std::optional<Mac> station_address(const Bridge& bridge) {
    for (const Address& address : bridge.addresses) {
        Mac mac{0x02, 0x42};
        if (address.family != AF_INET)
            continue;
        memcpy(mac.data() + 2, address.bytes.data(), 4);
        return mac;
    }
    return std::nullopt;
}

ifinfomsg link_head(int index, unsigned flags = 0, unsigned change = 0) {
    ifinfomsg head{};
    head.ifi_family = AF_UNSPEC;
    head.ifi_index = index;
    head.ifi_flags = flags;
    head.ifi_change = change;
    return head;
}

std::optional<Link> parse_link(std::span<const std::byte> payload) {
    ifinfomsg head;
    if (payload.size() < sizeof head)
        return std::nullopt;
    memcpy(&head, payload.data(), sizeof head);
    auto found = attributes(payload.subspan(NLMSG_ALIGN(sizeof head)));
    auto info = attributes(found[IFLA_LINKINFO]);
    return Link{head.ifi_index,
                text_of(found[IFLA_IFNAME]),
                text_of(info[IFLA_INFO_KIND]),
                (head.ifi_flags & IFF_UP) != 0,
                u32_of(found[IFLA_MTU]),
                static_cast<int>(u32_of(found[IFLA_MASTER])),
                mac_of(found[IFLA_ADDRESS])};
}

} // namespace

Result<Links> Links::open() {
    auto netlink = Netlink::open();
    if (!netlink)
        return netlink.error();
    return Links(std::move(*netlink));
}

Result<std::vector<Link>> Links::list() {
    std::vector<Link> links;
    Message question(RTM_GETLINK, NLM_F_DUMP, link_head(0));
    auto done = netlink_.dump(question, "list network interfaces",
                              [&](uint16_t type, std::span<const std::byte> payload) {
                                  if (auto link = type == RTM_NEWLINK ? parse_link(payload) : std::nullopt)
                                      links.push_back(std::move(*link));
                              });
    if (!done)
        return done.error();
    return links;
}

Result<std::optional<Link>> Links::find(const std::string& name) {
    std::optional<Link> found;
    Message question(RTM_GETLINK, NLM_F_ACK, link_head(0));
    question.put(IFLA_IFNAME, name);
    auto done = netlink_.dump(question, "find network interface " + name,
                              [&](uint16_t type, std::span<const std::byte> payload) {
                                  if (type == RTM_NEWLINK)
                                      found = parse_link(payload);
                              });
    if (!done && done.error().code != ENODEV)
        return done.error();
    return found;
}

Result<int> Links::index_of(const std::string& name) {
    auto link = find(name);
    if (!link)
        return link.error();
    if (!*link)
        return Error{ENODEV, "find network interface " + name};
    return (*link)->index;
}

Result<void> Links::ensure_bridge(const Bridge& bridge) {
    auto present = find(bridge.name);
    if (!present)
        return present.error();
    if (*present && (*present)->kind != "bridge")
        return Error{EEXIST, "create bridge " + bridge.name};
    if (!*present)
        HRUN_TRY(create_bridge(bridge));
    auto index = index_of(bridge.name);
    if (!index)
        return index.error();
    for (const Address& address : bridge.addresses)
        HRUN_TRY(add_address(*index, bridge.name, address));
    return raise(*index, bridge.name, bridge.mtu);
}

// Two processes may make it at the same time: the other's is as good. Without spanning tree and its delay. Without an address of its
// own a bridge takes the lowest of its ports': it would change as machines come and go, and those that have resolved it lose their gateway.
Result<void> Links::create_bridge(const Bridge& bridge) {
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, link_head(0));
    message.put(IFLA_IFNAME, bridge.name);
    if (const auto mac = station_address(bridge))
        message.put(IFLA_ADDRESS, std::as_bytes(std::span(*mac)));
    message.begin_nested(IFLA_LINKINFO).put(IFLA_INFO_KIND, std::string("bridge"));
    message.begin_nested(IFLA_INFO_DATA).put_u32(IFLA_BR_FORWARD_DELAY, 0).put_u32(IFLA_BR_STP_STATE, 0);
    message.end_nested().end_nested();
    auto done = netlink_.request(message, "create bridge " + bridge.name);
    return !done && done.error().code == EEXIST ? Result<void>() : done;
}

Result<void> Links::add_address(int index, const std::string& name, const Address& address) {
    ifaddrmsg head{};
    head.ifa_family = static_cast<uint8_t>(address.family);
    head.ifa_prefixlen = address.prefix;
    head.ifa_flags = address.family == AF_INET6 ? IFA_F_NODAD : 0;
    head.ifa_index = static_cast<uint32_t>(index);
    Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, head);
    message.put(IFA_LOCAL, address.value()).put(IFA_ADDRESS, address.value());
    auto done = netlink_.request(message, "add an address to " + name);
    return !done && done.error().code == EEXIST ? Result<void>() : done;
}

Result<void> Links::raise(int index, const std::string& name, uint32_t mtu) {
    Message message(RTM_NEWLINK, NLM_F_ACK, link_head(index, IFF_UP, IFF_UP));
    message.put_u32(IFLA_MTU, mtu);
    return netlink_.request(message, "bring " + name + " up");
}

Result<void> Links::connect(const std::string& name, const Port& port) {
    auto index = index_of(name);
    auto bridge = find(port.bridge);
    for (const Error* error : {index ? nullptr : &index.error(), bridge ? nullptr : &bridge.error()})
        if (error)
            return *error;
    if (!*bridge || (*bridge)->kind != "bridge")
        return Error{ENODEV, "connect to bridge " + port.bridge};
    HRUN_TRY(prepare(*index, port.mtu, (*bridge)->index, "connect " + name + " to bridge " + port.bridge));
    HRUN_TRY(lock_port(*index, name, port.source.mac));
    HRUN_TRY(attach_source_filter(netlink_, *index, name, port.source));
    if (port.rates != Rates{})
        HRUN_TRY(limit_rates(netlink_, *index, name, port.rates));
    return raise(*index, name, port.mtu);
}

// The host itself wants no IPv6 address on it.
Result<void> Links::prepare(int index, uint32_t mtu, std::optional<int> bridge, const std::string& what) {
    Message message(RTM_NEWLINK, NLM_F_ACK, link_head(index));
    if (bridge)
        message.put_u32(IFLA_MASTER, static_cast<uint32_t>(*bridge));
    message.put_u32(IFLA_MTU, mtu);
    message.begin_nested(IFLA_AF_SPEC).begin_nested(AF_INET6);
    message.put_u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE).end_nested().end_nested();
    return netlink_.request(message, what);
}

// What a machine sends to a port of the host that leads back to itself returns by the port that it came from (hairpin).
// Learning stays off, so that no packet moves another machine's address here; a locked port (Linux 5.18; older kernels
// pass over it) takes packets only from addresses that the bridge was told are there.
Result<void> Links::lock_port(int index, const std::string& name, const Mac& mac) {
    ifinfomsg head = link_head(index);
    head.ifi_family = AF_BRIDGE;
    Message options(RTM_SETLINK, NLM_F_ACK, head);
    options.begin_nested(IFLA_PROTINFO).put_u8(IFLA_BRPORT_LEARNING, 0).put_u8(IFLA_BRPORT_LOCKED, 1);
    options.put_u8(IFLA_BRPORT_MODE, BRIDGE_MODE_HAIRPIN);
    options.put_u8(IFLA_BRPORT_GUARD, 1).put_u8(IFLA_BRPORT_PROTECT, 1).end_nested();
    HRUN_TRY(netlink_.request(options, "lock bridge port " + name));
    ndmsg entry{};
    entry.ndm_family = AF_BRIDGE;
    entry.ndm_ifindex = index;
    entry.ndm_state = NUD_NOARP;
    entry.ndm_flags = NTF_MASTER;
    Message station(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, entry);
    station.put(NDA_LLADDR, std::as_bytes(std::span(mac)));
    return netlink_.request(station, "tell the bridge the address of " + name);
}

Result<void> Links::splice(const std::string& name, const Wire& wire) {
    auto own = index_of(name), other = index_of(wire.interface);
    for (const Error* error : {own ? nullptr : &own.error(), other ? nullptr : &other.error()})
        if (error)
            return *error;
    HRUN_TRY(prepare(*own, wire.mtu, std::nullopt, "set up " + name));
    HRUN_TRY(attach_source_filter(netlink_, *own, name, wire.source, Passed::kAskNext));
    if (wire.rates != Rates{})
        HRUN_TRY(limit_rates(netlink_, *own, name, wire.rates));
    HRUN_TRY(redirect(netlink_, *own, name, *other));
    HRUN_TRY(redirect(netlink_, *other, wire.interface, *own));
    return raise(*own, name, wire.mtu);
}

Result<void> Links::keep_no_packets(const std::string& name) {
    auto index = index_of(name);
    if (!index)
        return index.error();
    tcmsg head{};
    head.tcm_ifindex = *index;
    head.tcm_parent = TC_H_ROOT;
    Message message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, head);
    message.put(TCA_KIND, std::string("noqueue"));
    return netlink_.request(message, "have " + name + " keep no packets");
}

Result<void> Links::limit(const std::string& name, const Rates& rates) {
    auto index = index_of(name);
    if (!index)
        return index.error();
    return limit_rates(netlink_, *index, name, rates);
}

Result<void> Links::remove(const std::string& name) {
    Message message(RTM_DELLINK, NLM_F_ACK, link_head(0));
    message.put(IFLA_IFNAME, name);
    auto done = netlink_.request(message, "remove network interface " + name);
    return !done && done.error().code == ENODEV ? Result<void>() : done;
}

} // namespace hrun::net
