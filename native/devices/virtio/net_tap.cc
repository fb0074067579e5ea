// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/net_tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <climits>
#include <cstring>

namespace hrun::virtio {

namespace {

unsigned tun_offloads(uint64_t features) {
    return (features & kNetGuestCsum ? TUN_F_CSUM : 0u) | (features & kNetGuestTso4 ? TUN_F_TSO4 : 0u) |
           (features & kNetGuestTso6 ? TUN_F_TSO6 : 0u);
}

Result<void> set_headers(int tap) {
    const int header = sizeof(NetHeader), little_endian = 1;
    if (ioctl(tap, TUNSETVNETHDRSZ, &header) < 0 || ioctl(tap, TUNSETVNETLE, &little_endian) < 0)
        return Error::last("set up a tap interface's packet headers");
    return {};
}

} // namespace

Result<std::vector<Fd>> NetTap::open(const std::string& name, size_t queues) {
    if (name.empty() || name.size() >= IFNAMSIZ || queues == 0)
        return Error{EINVAL, "open tap interface '" + name + "'"};
    std::vector<Fd> taps;
    for (size_t i = 0; i < queues; ++i) {
        ifreq request{};
        memcpy(request.ifr_name, name.data(), name.size());
        unsigned flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
        if (queues > 1)
            flags |= IFF_MULTI_QUEUE;
        if (queues > 1 && i == 0)
            flags |= IFF_TUN_EXCL; // or it were one more queue of somebody else's
        request.ifr_flags = static_cast<short>(flags);
        Fd tap(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
        if (!tap.valid())
            return Error::last("open /dev/net/tun");
        if (ioctl(tap.get(), TUNSETIFF, &request) < 0)
            return Error::last("open tap interface '" + name + "'");
        taps.push_back(std::move(tap));
    }
    return taps;
}

Result<void> NetTap::set_up(int tap, uint64_t features) {
    HRUN_TRY(set_headers(tap));
    if (ioctl(tap, TUNSETOFFLOAD, static_cast<unsigned long>(tun_offloads(features))) < 0)
        return Error::last("set up a tap interface's offloads");
    return {};
}

Result<std::unique_ptr<NetTap>> NetTap::create(Fd tap) {
    ifreq request{};
    if (ioctl(tap.get(), TUNGETIFF, &request) < 0)
        return Error::last("use a descriptor as tap interface");
    if (!(request.ifr_flags & IFF_TAP) || !(request.ifr_flags & IFF_VNET_HDR) ||
        !(request.ifr_flags & IFF_NO_PI))
        return Error{EINVAL, "use a tap interface without IFF_VNET_HDR and IFF_NO_PI"};
    HRUN_TRY(set_headers(tap.get()));
    const int flags = fcntl(tap.get(), F_GETFL);
    if (flags < 0 || fcntl(tap.get(), F_SETFL, flags | O_NONBLOCK) < 0)
        return Error::last("make a tap interface non-blocking");
    return std::unique_ptr<NetTap>(new NetTap(std::move(tap)));
}

// Edge-triggered: one wake-up per change, however long packets wait for the guest.
Result<void> NetTap::watch(EventLoop& loop, EventLoop::Callback changed) {
    auto watch = loop.watch(tap_.get(), EPOLLIN | EPOLLOUT | EPOLLET,
                            [changed = std::move(changed)](uint32_t) { changed(); });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    return {};
}

uint64_t NetTap::offloads() const {
    return kNetCsum | kNetHostTso4 | kNetHostTso6 | kNetGuestCsum | kNetGuestTso4 | kNetGuestTso6;
}

// A kernel that refuses has no offloads, and makes checksums and small packets itself.
void NetTap::set_offloads(uint64_t features) {
    if (ioctl(tap_.get(), TUNSETOFFLOAD, static_cast<unsigned long>(tun_offloads(features))) < 0)
        ioctl(tap_.get(), TUNSETOFFLOAD, 0ul);
}

// The kernel takes a packet or refuses it; one that it refuses for what it says (EINVAL) or because the interface is down
// (EIO) is lost, as on a wire.
NetBackend::Status NetTap::send(std::span<const iovec> parts) {
    if (parts.size() > IOV_MAX)
        return Status::kLost;
    ssize_t sent;
    do
        sent = writev(tap_.get(), parts.data(), static_cast<int>(parts.size()));
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return Status::kDone;
    return errno == EAGAIN ? Status::kBusy : Status::kLost;
}

NetBackend::Status NetTap::receive(std::span<std::byte> buffer, size_t& size) {
    for (;;) {
        const ssize_t got = read(tap_.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return Status::kBusy;
        if (got < 0) { // EBADFD: the interface was deleted
            connected_ = false;
            return Status::kLost;
        }
        size = static_cast<size_t>(got);
        return size >= sizeof(NetHeader) + kEthernetHeader ? Status::kDone : Status::kLost;
    }
}

} // namespace hrun::virtio
