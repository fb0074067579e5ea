// SPDX-License-Identifier: Apache-2.0
#include "monitor/passt.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace hrun::monitor {

namespace {

// "127.0.0.1/8080:80", for -t and -u.
std::string port_spec(const net::PortMapping& mapping) {
    const std::string address = mapping.host.is_any() ? "" : to_text(mapping.host) + "/";
    return address + std::to_string(mapping.host_port) + ":" + std::to_string(mapping.port);
}

// passt knows a station's MAC address by what it has sent, and until then sends to all, from which TCP takes nothing: a machine that
// only serves would never be reached. So its announcement (RFC 5227, 2.3) is the first that passt hears.
Result<void> announce(int socket, const NicConfig& nic) {
    struct __attribute__((packed)) {
        uint32_t length;
        ether_header ethernet;
        ether_arp arp;
    } packet{};
    packet.length = htonl(sizeof packet - sizeof packet.length);
    std::fill_n(packet.ethernet.ether_dhost, ETH_ALEN, uint8_t{0xff});
    std::copy(nic.mac.begin(), nic.mac.end(), packet.ethernet.ether_shost);
    packet.ethernet.ether_type = htons(ETHERTYPE_ARP);
    packet.arp.ea_hdr = {htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), ETH_ALEN, sizeof packet.arp.arp_spa,
                         htons(ARPOP_REQUEST)};
    std::copy(nic.mac.begin(), nic.mac.end(), packet.arp.arp_sha);
    for (uint8_t* address : {packet.arp.arp_spa, packet.arp.arp_tpa})
        memcpy(address, nic.addresses.front().bytes.data(), sizeof packet.arp.arp_spa);
    if (send(socket, &packet, sizeof packet, MSG_NOSIGNAL) != sizeof packet)
        return Error::last("announce the machine to passt");
    return {};
}

} // namespace

// The machine knows its addresses without DHCP. The gateway is not the host's loopback (--no-map-gw).
std::vector<std::string> passt_command_line(const NicConfig& nic, const std::vector<net::PortMapping>& ports,
                                            int socket) {
    const net::Address& address = nic.addresses.front();
    std::vector<std::string> words{nic.passt->program, "--foreground", "--quiet", "--stderr", "--ipv4-only"};
    const auto add = [&words](const char* option, const std::string& value) {
        words.insert(words.end(), {option, value});
    };
    for (const char* word : {"--no-map-gw", "--no-dhcp", "--no-dhcpv6", "--no-ndp", "--no-ra"})
        words.push_back(word);
    add("--fd", std::to_string(socket));
    add("--address", to_text(address.ip()));
    add("--netmask", std::to_string(address.prefix));
    add("--gateway", to_text(nic.passt->gateway));
    add("--dns-forward", to_text(nic.passt->resolver));
    add("--mtu", std::to_string(nic.mtu));
    for (const net::PortMapping& mapping : ports)
        add(mapping.protocol == IPPROTO_TCP ? "--tcp-ports" : "--udp-ports", port_spec(mapping));
    return words;
}

Result<Fd> Passt::start(const NicConfig& nic, const std::vector<net::PortMapping>& ports) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return Error::last("create passt's socket");
    Fd machine(ends[0]), passt(ends[1]);
    if (fcntl(machine.get(), F_SETFL, O_NONBLOCK) < 0)
        return Error::last("prepare passt's socket");
    HRUN_TRY(announce(machine.get(), nic));
    const int fds[] = {passt.get()};
    auto process =
        qemu::Process::spawn(passt_command_line(nic, ports, qemu::Process::kFirstFd), STDERR_FILENO, fds);
    if (!process)
        return process.error();
    process_ = std::move(*process);
    return machine;
}

} // namespace hrun::monitor
