/* SPDX-License-Identifier: Apache-2.0 */
#include "nics.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "devices.h"
#include "kernel_file.h"
#include "rtnetlink.h"

#define IPV6_METRIC 1024 /* Linux IP6_RT_PRIO_USER */
#define USUAL_MTU 1500   /* what an interface comes with unless its device says more */

/* An interface that is being set up. */
struct nic_in_hand {
    struct made_nic made;
    bool ready; /* it is up, and has the usual MTU and no IPv6 */
};

/* Renaming costs the kernel's files of the interface, so one that came with its name keeps it. */
static bool is_named(const struct made_nic* made, const struct hrun_nic* nic) {
    return strcmp(made->name, nic->name) == 0;
}

/* A name that no device comes with: so that two interfaces can have each other's. */
static int rename_aside(int socket_fd, int index) {
    char name[IFNAMSIZ];
    struct rtnetlink_message message;
    const struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index};
    int length = snprintf(name, sizeof(name), "hrun-%d", index);
    rtnetlink_begin(&message, RTM_NEWLINK, 0, &link, sizeof(link));
    rtnetlink_put(&message, IFLA_IFNAME, name, (size_t)length + 1);
    return rtnetlink_send(socket_fd, &message);
}

/* Name, MAC address and MTU; an interface that is down stays down. */
static int set_up_link(int socket_fd, const struct nic_in_hand* in_hand, const struct hrun_nic* nic) {
    struct rtnetlink_message message;
    const struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = in_hand->made.index};
    rtnetlink_begin(&message, RTM_NEWLINK, 0, &link, sizeof(link));
    if (!is_named(&in_hand->made, nic))
        rtnetlink_put(&message, IFLA_IFNAME, nic->name, strlen(nic->name) + 1);
    rtnetlink_put(&message, IFLA_ADDRESS, nic->mac, sizeof(nic->mac));
    if (!in_hand->ready || nic->mtu != USUAL_MTU)
        rtnetlink_put(&message, IFLA_MTU, &nic->mtu, sizeof(nic->mtu));
    return rtnetlink_send(socket_fd, &message);
}

static int raise_link(int socket_fd, int index) {
    struct rtnetlink_message message;
    const struct ifinfomsg link = {
        .ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    rtnetlink_begin(&message, RTM_NEWLINK, 0, &link, sizeof(link));
    return rtnetlink_send(socket_fd, &message);
}

static uint8_t family_of(uint8_t family) {
    return family == HRUN_ADDRESS_IPV4 ? AF_INET : AF_INET6;
}

static size_t size_of(uint8_t family) {
    return family == HRUN_ADDRESS_IPV4 ? 4 : 16;
}

/* The host gives no address twice, so none is asked for on the wire first, and all can be used at once. */
static int add_address(int socket_fd, int index, const struct hrun_nic_address* address) {
    struct rtnetlink_message message;
    const struct ifaddrmsg head = {.ifa_family = family_of(address->family),
                                   .ifa_prefixlen = address->prefix,
                                   .ifa_flags = address->family == HRUN_ADDRESS_IPV6 ? IFA_F_NODAD : 0,
                                   .ifa_scope = RT_SCOPE_UNIVERSE,
                                   .ifa_index = (uint32_t)index};
    rtnetlink_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
    rtnetlink_put(&message, IFA_LOCAL, address->address, size_of(address->family));
    rtnetlink_put(&message, IFA_ADDRESS, address->address, size_of(address->family));
    if (address->flags & HRUN_ADDRESS_FLAG_APART) {
        const uint32_t flags = head.ifa_flags | IFA_F_NOPREFIXROUTE;
        rtnetlink_put(&message, IFA_FLAGS, &flags, sizeof(flags));
    }
    if (address->family == HRUN_ADDRESS_IPV4 && address->prefix < 31) {
        uint8_t broadcast[4];
        for (unsigned i = 0; i < 4; i++) {
            unsigned kept = address->prefix > i * 8 ? address->prefix - i * 8 : 0;
            broadcast[i] = address->address[i] | (kept >= 8 ? 0 : 0xff >> kept);
        }
        rtnetlink_put(&message, IFA_BROADCAST, broadcast, sizeof(broadcast));
    }
    return rtnetlink_send(socket_fd, &message);
}

/* Of several the one with the lowest metric is taken. The kernel takes IPv6's 0 for IPV6_METRIC. */
static int add_gateway(int socket_fd, int index, const struct hrun_nic_address* gateway, uint32_t metric) {
    struct rtnetlink_message message;
    const struct rtmsg head = {.rtm_family = family_of(gateway->family),
                               .rtm_table = RT_TABLE_MAIN,
                               .rtm_protocol = RTPROT_BOOT,
                               .rtm_scope = RT_SCOPE_UNIVERSE,
                               .rtm_type = RTN_UNICAST};
    rtnetlink_begin(&message, RTM_NEWROUTE, NLM_F_CREATE, &head, sizeof(head));
    rtnetlink_put(&message, RTA_GATEWAY, gateway->address, size_of(gateway->family));
    rtnetlink_put(&message, RTA_OIF, &index, sizeof(index));
    if (gateway->family == HRUN_ADDRESS_IPV6)
        metric += IPV6_METRIC;
    if (metric > 0)
        rtnetlink_put(&message, RTA_PRIORITY, &metric, sizeof(metric));
    return rtnetlink_send(socket_fd, &message);
}

static bool has_gateway(const struct hrun_nic_route* route) {
    static const uint8_t none[sizeof(route->gateway)];
    return memcmp(route->gateway, none, sizeof(none)) != 0;
}

/* One that the kernel has made of an address, to the same destination, comes behind it. */
static int add_route(int socket_fd, int index, const struct hrun_nic_route* route) {
    struct rtnetlink_message message;
    bool gateway = has_gateway(route);
    const struct rtmsg head = {.rtm_family = family_of(route->family),
                               .rtm_dst_len = route->prefix,
                               .rtm_table = RT_TABLE_MAIN,
                               .rtm_protocol = RTPROT_BOOT,
                               .rtm_scope = gateway || route->family == HRUN_ADDRESS_IPV6 ? RT_SCOPE_UNIVERSE
                                                                                          : RT_SCOPE_LINK,
                               .rtm_type = RTN_UNICAST,
                               .rtm_flags = route->flags & HRUN_ROUTE_FLAG_ONLINK ? RTNH_F_ONLINK : 0};
    rtnetlink_begin(&message, RTM_NEWROUTE, NLM_F_CREATE, &head, sizeof(head));
    if (route->prefix > 0)
        rtnetlink_put(&message, RTA_DST, route->destination, size_of(route->family));
    if (gateway)
        rtnetlink_put(&message, RTA_GATEWAY, route->gateway, size_of(route->family));
    rtnetlink_put(&message, RTA_OIF, &index, sizeof(index));
    if (route->metric > 0)
        rtnetlink_put(&message, RTA_PRIORITY, &route->metric, sizeof(route->metric));
    return rtnetlink_send(socket_fd, &message);
}

/* First those that gateways are reached by. */
static int set_routes(int socket_fd, int index, const struct nic_requests* requests,
                      const struct hrun_nic* nic, struct err* err) {
    for (int gateway = 0; gateway < 2; gateway++)
        for (size_t i = 0; i < requests->route_count; i++) {
            const struct hrun_nic_route* route = &requests->routes[i];
            if (route->slot == nic->slot && has_gateway(route) == gateway &&
                add_route(socket_fd, index, route) < 0)
                return err_system(err, "add a route of %s", nic->name);
        }
    return 0;
}

static bool wants_ipv6(const struct nic_requests* requests, uint32_t slot) {
    bool wanted = false;
    for (size_t i = 0; i < requests->address_count; i++) {
        const struct hrun_nic_address* address = &requests->addresses[i].given;
        wanted |= address->slot == slot && address->family == HRUN_ADDRESS_IPV6;
    }
    return wanted;
}

/* The host says which addresses there are: none by router advertisement, none asked for on the wire, and no IPv6 where none was given, nor
 * on an interface that is ready. */
static int set_ipv6(const char* name, bool wanted, bool ready) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s", name);
    owned_fd directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return errno == ENOENT && !wanted ? 0 : -1; /* a kernel without IPv6 */
    if (!wanted)
        return kernel_file_write(directory, "disable_ipv6", "1");
    if (kernel_file_write(directory, "accept_ra", "0") < 0 ||
        kernel_file_write(directory, "accept_dad", "0") < 0)
        return -1;
    return ready ? kernel_file_write(directory, "disable_ipv6", "0") : 0;
}

static int set_addresses(int socket_fd, int index, const struct nic_requests* requests,
                         const struct hrun_nic* nic, struct err* err) {
    for (size_t i = 0; i < requests->address_count; i++) {
        const struct nic_address* entry = &requests->addresses[i];
        if (entry->given.slot == nic->slot && !entry->gateway &&
            add_address(socket_fd, index, &entry->given) < 0)
            return err_system(err, "add an address to %s", nic->name);
    }
    for (size_t i = 0; i < requests->address_count; i++) {
        const struct nic_address* entry = &requests->addresses[i];
        if (entry->given.slot == nic->slot && entry->gateway &&
            add_gateway(socket_fd, index, &entry->given, nic->metric) < 0)
            return err_system(err, "add the gateway of %s", nic->name);
    }
    return 0;
}

static int remove_address(int socket_fd, int index, const struct hrun_nic_address* address) {
    struct rtnetlink_message message;
    const struct ifaddrmsg head = {.ifa_family = family_of(address->family),
                                   .ifa_prefixlen = address->prefix,
                                   .ifa_index = (uint32_t)index};
    rtnetlink_begin(&message, RTM_DELADDR, 0, &head, sizeof(head));
    rtnetlink_put(&message, IFA_LOCAL, address->address, size_of(address->family));
    return rtnetlink_send(socket_fd, &message);
}

static int nic_up(int socket_fd, const struct nic_in_hand* in_hand, const struct nic_requests* requests,
                  const struct hrun_nic* nic, struct err* err) {
    int index = in_hand->made.index;
    bool ipv6 = wants_ipv6(requests, nic->slot);
    if (set_up_link(socket_fd, in_hand, nic) < 0)
        return err_system(err, "set up the network interface %s", nic->name);
    if ((ipv6 || !in_hand->ready) && set_ipv6(nic->name, ipv6, in_hand->ready) < 0)
        return err_system(err, "set up IPv6 of %s", nic->name);
    if (!in_hand->ready && raise_link(socket_fd, index) < 0)
        return err_system(err, "bring %s up", nic->name);
    if (set_addresses(socket_fd, index, requests, nic, err) < 0)
        return -1;
    return set_routes(socket_fd, index, requests, nic, err);
}

static int find_made(const char* sysfs, uint32_t slot, struct made_nic* made, struct err* err) {
    if (device_interface(sysfs, slot, made->name, sizeof(made->name), err) < 0)
        return -1;
    made->index = (int)if_nametoindex(made->name);
    return made->index > 0 ? 0 : err_system(err, "find the network interface %s", made->name);
}

/* Addresses for documentation, RFC 5737: nothing is sent to them. */
int nics_rehearse(const char* sysfs, const struct ready_nic* ready, struct err* err) {
    struct nic_requests requests = {
        .nics = {{.slot = ready->slot, .mtu = USUAL_MTU, .mac = {2}}},
        .count = 1,
        .addresses = {{.given = {ready->slot, HRUN_ADDRESS_IPV4, 24, 0, {192, 0, 2, 2}}},
                      {.given = {ready->slot, HRUN_ADDRESS_IPV4, 0, 0, {192, 0, 2, 1}}, .gateway = true}},
        .address_count = 2};
    if (ready->made.index == 0)
        return 0;
    memcpy(requests.nics[0].name, ready->made.name, sizeof(requests.nics[0].name));
    if (nics_up(sysfs, &requests, ready, err) < 0)
        return -1;
    owned_fd socket_fd = rtnetlink_open();
    if (socket_fd < 0 || remove_address(socket_fd, ready->made.index, &requests.addresses[0].given) < 0)
        return err_system(err, "take an address from %s", ready->made.name);
    return 0;
}

int nics_change(const char* sysfs, const struct network_request* request, struct err* err) {
    for (size_t i = 0; i < request->gone_count; i++)
        if (device_interface_release(sysfs, request->gone[i], err) < 0)
            return -1;
    const struct ready_nic none = {0};
    return nics_up(sysfs, &request->nics, &none, err);
}

int nics_prepare(const char* sysfs, uint32_t slot, struct ready_nic* ready, struct err* err) {
    owned_fd socket_fd = rtnetlink_open();
    if (socket_fd < 0)
        return err_system(err, "configure the network");
    struct made_nic made;
    if (find_made(sysfs, slot, &made, err) < 0)
        return -1;
    if (set_ipv6(made.name, false, false) < 0)
        return err_system(err, "set up IPv6 of %s", made.name);
    if (raise_link(socket_fd, made.index) < 0)
        return err_system(err, "bring %s up", made.name);
    *ready = (struct ready_nic){.slot = slot, .made = made};
    return 0;
}

/* Finds the interface of a slot. */
static int take_in_hand(const char* sysfs, const struct hrun_nic* nic, const struct ready_nic* ready,
                        struct nic_in_hand* in_hand, struct err* err) {
    in_hand->ready = ready->made.index > 0 && ready->slot == nic->slot && is_named(&ready->made, nic);
    if (!in_hand->ready)
        return find_made(sysfs, nic->slot, &in_hand->made, err);
    in_hand->made = ready->made;
    return 0;
}

int nics_up(const char* sysfs, const struct nic_requests* requests, const struct ready_nic* ready,
            struct err* err) {
    struct nic_in_hand in_hand[NIC_MAX];
    if (requests->count == 0)
        return 0;
    owned_fd socket_fd = rtnetlink_open();
    if (socket_fd < 0)
        return err_system(err, "configure the network");
    for (size_t i = 0; i < requests->count; i++)
        if (take_in_hand(sysfs, &requests->nics[i], ready, &in_hand[i], err) < 0)
            return -1;
    for (size_t i = 0; i < requests->count; i++)
        if (!is_named(&in_hand[i].made, &requests->nics[i]) &&
            rename_aside(socket_fd, in_hand[i].made.index) < 0)
            return err_system(err, "rename the network interface in slot %u", requests->nics[i].slot);
    for (size_t i = 0; i < requests->count; i++)
        if (nic_up(socket_fd, &in_hand[i], requests, &requests->nics[i], err) < 0)
            return -1;
    return 0;
}
