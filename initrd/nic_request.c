/* SPDX-License-Identifier: Apache-2.0 */
#include "nic_request.h"

#include <errno.h>
#include <string.h>

#define MAX_SLOT 63
#define MIN_MTU 68 /* RFC 791 */
#define MAX_MTU 65535

static int wrong(uint32_t slot, const char* what, struct err* err) {
    return err_set(err, HRUN_ERROR_CONFIG, EINVAL, "network interface in slot %u: %s", slot, what);
}

/* What the kernel takes for a name, sysfs and sysctl show as one component, and is not the loopback's. */
static bool name_valid(const char* name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = strnlen(name, HRUN_NIC_NAME_SIZE);
    if (length == 0 || length == HRUN_NIC_NAME_SIZE || strspn(name, allowed) != length)
        return false;
    for (size_t i = length; i < HRUN_NIC_NAME_SIZE; i++)
        if (name[i])
            return false;
    return strcmp(name, "lo") != 0 && strcmp(name, "all") != 0 && strcmp(name, "default") != 0;
}

static int parse_nic(const struct tlv* tlv, struct nic_requests* requests, struct err* err) {
    struct hrun_nic nic;
    if (tlv->length != sizeof(nic))
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "tag %u: not a network interface", tlv->tag);
    memcpy(&nic, tlv->value, sizeof(nic));
    if (requests->count == NIC_MAX)
        return err_set(err, HRUN_ERROR_CONFIG, E2BIG, "more than %d network interfaces", NIC_MAX);
    if (nic.slot > MAX_SLOT)
        return wrong(nic.slot, "no such slot", err);
    if (nic.mtu < MIN_MTU || nic.mtu > MAX_MTU)
        return wrong(nic.slot, "an MTU outside 68 to 65535", err);
    if (nic.mac[0] & 1)
        return wrong(nic.slot, "a group's MAC address", err);
    if (!name_valid(nic.name))
        return wrong(nic.slot, "not a name for an interface", err);
    requests->nics[requests->count++] = nic;
    return 0;
}

static int parse_address(const struct tlv* tlv, struct nic_requests* requests, struct err* err) {
    struct nic_address entry = {.gateway = tlv->tag == HRUN_CONF_GATEWAY};
    struct hrun_nic_address* given = &entry.given;
    if (tlv->length != sizeof(*given))
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "tag %u: not an address", tlv->tag);
    memcpy(given, tlv->value, sizeof(*given));
    if (requests->address_count == NIC_MAX_ADDRESSES)
        return err_set(err, HRUN_ERROR_CONFIG, E2BIG, "more than %d addresses", NIC_MAX_ADDRESSES);
    if (given->family != HRUN_ADDRESS_IPV4 && given->family != HRUN_ADDRESS_IPV6)
        return wrong(given->slot, "an address of an unknown family", err);
    unsigned bits = given->family == HRUN_ADDRESS_IPV4 ? 32 : 128;
    if (given->prefix > bits || (entry.gateway && given->prefix != 0))
        return wrong(given->slot, "an address with a wrong prefix", err);
    if ((given->flags & ~HRUN_ADDRESS_FLAG_APART) != 0 || (entry.gateway && given->flags != 0))
        return wrong(given->slot, "an address with unknown flags", err);
    requests->addresses[requests->address_count++] = entry;
    return 0;
}

static int parse_route(const struct tlv* tlv, struct nic_requests* requests, struct err* err) {
    struct hrun_nic_route route;
    if (tlv->length != sizeof(route))
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "tag %u: not a route", tlv->tag);
    memcpy(&route, tlv->value, sizeof(route));
    if (requests->route_count == NIC_MAX_ROUTES)
        return err_set(err, HRUN_ERROR_CONFIG, E2BIG, "more than %d routes", NIC_MAX_ROUTES);
    if (route.family != HRUN_ADDRESS_IPV4 && route.family != HRUN_ADDRESS_IPV6)
        return wrong(route.slot, "a route of an unknown family", err);
    if (route.prefix > (route.family == HRUN_ADDRESS_IPV4 ? 32 : 128))
        return wrong(route.slot, "a route with a wrong prefix", err);
    if ((route.flags & ~HRUN_ROUTE_FLAG_ONLINK) != 0)
        return wrong(route.slot, "a route with unknown flags", err);
    requests->routes[requests->route_count++] = route;
    return 0;
}

int nic_requests_parse(const struct tlv* tlv, struct nic_requests* requests, struct err* err) {
    if (tlv->tag == HRUN_CONF_ROUTE)
        return parse_route(tlv, requests, err);
    return tlv->tag == HRUN_CONF_NIC ? parse_nic(tlv, requests, err) : parse_address(tlv, requests, err);
}

static bool has_slot(const struct nic_requests* requests, uint32_t slot) {
    for (size_t i = 0; i < requests->count; i++)
        if (requests->nics[i].slot == slot)
            return true;
    return false;
}

int nic_requests_check(const struct nic_requests* requests, struct err* err) {
    for (size_t i = 0; i < requests->count; i++)
        for (size_t j = 0; j < i; j++)
            if (requests->nics[i].slot == requests->nics[j].slot ||
                strcmp(requests->nics[i].name, requests->nics[j].name) == 0)
                return wrong(requests->nics[i].slot, "given twice", err);
    for (size_t i = 0; i < requests->address_count; i++)
        if (!has_slot(requests, requests->addresses[i].given.slot))
            return wrong(requests->addresses[i].given.slot, "has an address but is not there", err);
    for (size_t i = 0; i < requests->route_count; i++)
        if (!has_slot(requests, requests->routes[i].slot))
            return wrong(requests->routes[i].slot, "has a route but is not there", err);
    return 0;
}

static void drop_slot(struct nic_requests* requests, uint32_t slot) {
    size_t kept = 0;
    for (size_t i = 0; i < requests->count; i++)
        if (requests->nics[i].slot != slot)
            requests->nics[kept++] = requests->nics[i];
    requests->count = kept;
    kept = 0;
    for (size_t i = 0; i < requests->address_count; i++)
        if (requests->addresses[i].given.slot != slot)
            requests->addresses[kept++] = requests->addresses[i];
    requests->address_count = kept;
    kept = 0;
    for (size_t i = 0; i < requests->route_count; i++)
        if (requests->routes[i].slot != slot)
            requests->routes[kept++] = requests->routes[i];
    requests->route_count = kept;
}

void nic_requests_change(struct nic_requests* held, const uint32_t* gone, size_t gone_count,
                         const struct nic_requests* added) {
    for (size_t i = 0; i < gone_count; i++)
        drop_slot(held, gone[i]);
    for (size_t i = 0; i < added->count; i++)
        drop_slot(held, added->nics[i].slot);
    if (added->count > NIC_MAX - held->count ||
        added->address_count > NIC_MAX_ADDRESSES - held->address_count ||
        added->route_count > NIC_MAX_ROUTES - held->route_count)
        return;
    memcpy(held->nics + held->count, added->nics, added->count * sizeof(added->nics[0]));
    memcpy(held->addresses + held->address_count, added->addresses,
           added->address_count * sizeof(added->addresses[0]));
    memcpy(held->routes + held->route_count, added->routes, added->route_count * sizeof(added->routes[0]));
    held->count += added->count;
    held->address_count += added->address_count;
    held->route_count += added->route_count;
}

bool nic_requests_equal(const struct nic_requests* one, const struct nic_requests* other) {
    if (one->count != other->count || one->address_count != other->address_count ||
        one->route_count != other->route_count)
        return false;
    for (size_t i = 0; i < one->address_count; i++)
        if (one->addresses[i].gateway != other->addresses[i].gateway ||
            memcmp(&one->addresses[i].given, &other->addresses[i].given, sizeof(one->addresses[i].given)) !=
                0)
            return false;
    return memcmp(one->nics, other->nics, one->count * sizeof(one->nics[0])) == 0 &&
           memcmp(one->routes, other->routes, one->route_count * sizeof(one->routes[0])) == 0;
}
