// SPDX-License-Identifier: Apache-2.0
#include "net/tap_network.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <optional>
#include <thread>

#include "devices/virtio/net_tap.h"

namespace hrun::test {

namespace {

constexpr char kName[] = "tap0";

sockaddr_in ipv4(const char* address, uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    inet_pton(AF_INET, address, &result.sin_addr);
    return result;
}

ifreq request() {
    ifreq result{};
    strcpy(result.ifr_name, kName);
    return result;
}

// The interface's own address, and the guest's as a neighbour that needs no question.
Result<void> configure(int socket, const MacAddress& guest) {
    ifreq address = request(), mask = request(), up = request();
    const sockaddr_in own = ipv4("10.0.0.1", 0), network = ipv4("255.255.255.0", 0);
    memcpy(&address.ifr_addr, &own, sizeof own);
    memcpy(&mask.ifr_netmask, &network, sizeof network);
    up.ifr_flags = IFF_UP | IFF_RUNNING;
    arpreq neighbour{};
    const sockaddr_in other = ipv4("10.0.0.2", 0);
    memcpy(&neighbour.arp_pa, &other, sizeof other);
    neighbour.arp_ha.sa_family = ARPHRD_ETHER;
    memcpy(neighbour.arp_ha.sa_data, guest.data(), guest.size());
    neighbour.arp_flags = ATF_COM | ATF_PERM;
    strcpy(neighbour.arp_dev, kName);
    if (ioctl(socket, SIOCSIFADDR, &address) < 0 || ioctl(socket, SIOCSIFNETMASK, &mask) < 0 ||
        ioctl(socket, SIOCSIFFLAGS, &up) < 0 || ioctl(socket, SIOCSARP, &neighbour) < 0)
        return Error::last("configure a tap interface");
    return {};
}

Result<Fd> open_packets(int index) {
    Fd packets(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
    const int on = 1;
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = index;
    if (!packets.valid() || setsockopt(packets.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
        bind(packets.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) < 0)
        return Error::last("open a packet socket");
    return packets;
}

Result<Fd> open_flow() {
    Fd udp(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in echo = ipv4("10.0.0.2", 7);
    if (connect(udp.get(), reinterpret_cast<const sockaddr*>(&echo), sizeof echo) < 0)
        return Error::last("connect to 10.0.0.2");
    return udp;
}

Result<TapNetwork> make_here(const MacAddress& guest, size_t queues, size_t flows) {
    if (unshare(CLONE_NEWNET) < 0)
        return Error::last("make a network namespace");
    auto tap = virtio::NetTap::open(kName, queues);
    if (!tap)
        return tap.error();
    TapNetwork network{};
    network.queues = std::move(*tap);
    const Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    HRUN_TRY(configure(any.get(), guest));
    while (network.flows.size() < flows) {
        auto flow = open_flow();
        if (!flow)
            return flow.error();
        network.flows.push_back(std::move(*flow));
    }
    network.index = static_cast<int>(if_nametoindex(kName));
    Result<Fd> packets = open_packets(network.index);
    if (!packets)
        return packets.error();
    network.packets = std::move(*packets);
    return network;
}

} // namespace

// Namespaces belong to threads, so one of its own goes there; descriptors stay where they were made.
Result<TapNetwork> make_tap_network(const MacAddress& guest, size_t queues, size_t flows) {
    std::optional<Result<TapNetwork>> made;
    std::thread([&] { made.emplace(make_here(guest, queues, flows)); }).join();
    return std::move(*made);
}

} // namespace hrun::test
