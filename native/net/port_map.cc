// SPDX-License-Identifier: Apache-2.0
#include "net/port_map.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace hrun::net {

namespace {

// Keys: address . protocol . port, and protocol . port for every address. Values: address . port.
constexpr char kAtAddress[] = "published_at", kAtAddress6[] = "published6_at";
constexpr char kAnywhere[] = "published", kAnywhere6[] = "published6";
constexpr char kWhat[] = "publish ports";
constexpr size_t kMostElements = 512; // of 64 bytes at most: a list of them is less than 64 KiB

// Each part of a concatenation begins at a multiple of four bytes.
template <class Part> void append(std::vector<std::byte>& bytes, const Part& part) {
    const size_t start = bytes.size();
    bytes.resize(start + 4);
    static_assert(sizeof part <= 4);
    memcpy(bytes.data() + start, &part, sizeof part);
}

void append(std::vector<std::byte>& bytes, const Ip& ip) {
    bytes.insert(bytes.end(), ip.value().begin(), ip.value().end());
}

const char* map_of(const PortMapping& mapping) {
    if (mapping.host.family == AF_INET)
        return mapping.host.is_any() ? kAnywhere : kAtAddress;
    return mapping.host.is_any() ? kAnywhere6 : kAtAddress6;
}

std::vector<std::byte> key_of(const PortMapping& mapping) {
    std::vector<std::byte> key;
    if (!mapping.host.is_any())
        append(key, mapping.host);
    append(key, mapping.protocol);
    append(key, htons(mapping.host_port));
    return key;
}

std::vector<std::byte> value_of(const PortMapping& mapping) {
    std::vector<std::byte> value;
    append(value, mapping.address);
    append(value, htons(mapping.port));
    return value;
}

void put_data(Message& message, uint16_t type, const std::vector<std::byte>& value) {
    message.begin_nested(type).put(NFTA_DATA_VALUE, std::span<const std::byte>(value)).end_nested();
}

} // namespace

enum class PortMap::Change : uint16_t { kAdd = NFT_MSG_NEWSETELEM, kRemove = NFT_MSG_DELSETELEM };

Result<PortMap> PortMap::open(std::string table) {
    auto netlink = Netlink::open(NETLINK_NETFILTER);
    if (!netlink)
        return netlink.error();
    return PortMap(std::move(table), std::move(*netlink));
}

Message PortMap::message_for(Change change, const char* map, bool last, Mappings mappings) const {
    nfgenmsg head{};
    head.nfgen_family = NFPROTO_INET;
    head.version = NFNETLINK_V0;
    const int flags = (change == Change::kAdd ? NLM_F_CREATE : 0) | (last ? NLM_F_ACK : 0);
    Message message(static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | static_cast<uint16_t>(change)),
                    static_cast<uint16_t>(flags), head);
    message.put(NFTA_SET_ELEM_LIST_TABLE, table_).put(NFTA_SET_ELEM_LIST_SET, std::string(map));
    message.begin_nested(NFTA_SET_ELEM_LIST_ELEMENTS);
    for (const PortMapping& mapping : mappings) {
        message.begin_nested(NFTA_LIST_ELEM);
        put_data(message, NFTA_SET_ELEM_KEY, key_of(mapping));
        if (change == Change::kAdd)
            put_data(message, NFTA_SET_ELEM_DATA, value_of(mapping));
        message.end_nested();
    }
    message.end_nested();
    return message;
}

Result<void> PortMap::apply(Change change, std::span<const PortMapping> mappings) {
    std::map<const char*, std::vector<PortMapping>> by_map;
    for (const PortMapping& mapping : mappings)
        by_map[map_of(mapping)].push_back(mapping);
    std::vector<std::pair<const char*, Mappings>> parts;
    for (const auto& [map, all] : by_map)
        for (Mappings rest = all; !rest.empty();) {
            parts.emplace_back(map, rest.first(std::min(rest.size(), kMostElements)));
            rest = rest.subspan(parts.back().second.size());
        }
    std::vector<Message> messages;
    for (const auto& [map, part] : parts)
        messages.push_back(message_for(change, map, messages.size() + 1 == parts.size(), part));
    return messages.empty() ? Result<void>() : netlink_.transaction(messages, NFNL_SUBSYS_NFTABLES, kWhat);
}

Result<void> PortMap::remove_each(std::span<const PortMapping> mappings) {
    for (const PortMapping& mapping : mappings)
        if (auto removed = apply(Change::kRemove, {&mapping, 1}); !removed && removed.error().code != ENOENT)
            return removed;
    return {};
}

Result<void> PortMap::add(std::span<const PortMapping> mappings) {
    auto added = apply(Change::kAdd, mappings);
    if (added || (added.error().code != EBUSY && added.error().code != EEXIST))
        return added;
    HRUN_TRY(remove_each(mappings));
    return apply(Change::kAdd, mappings);
}

Result<void> PortMap::remove(std::span<const PortMapping> mappings) {
    auto removed = apply(Change::kRemove, mappings);
    return removed || removed.error().code != ENOENT ? removed : remove_each(mappings);
}

} // namespace hrun::net
