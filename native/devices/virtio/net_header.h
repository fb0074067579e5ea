// SPDX-License-Identifier: Apache-2.0
// The header before every packet (virtio 1.2, 5.1.6): what a driver asks of the host for a packet that it sends.
#pragma once

#include <cstdint>
#include <optional>

namespace hrun::virtio {

// Feature bits (5.1.3). <linux/virtio_net.h> is not C++.
constexpr uint64_t kNetCsum = 1ull << 0;      // VIRTIO_NET_F_CSUM
constexpr uint64_t kNetGuestCsum = 1ull << 1; // VIRTIO_NET_F_GUEST_CSUM, and so on
constexpr uint64_t kNetMtu = 1ull << 3;
constexpr uint64_t kNetMac = 1ull << 5;
constexpr uint64_t kNetGuestTso4 = 1ull << 7;
constexpr uint64_t kNetGuestTso6 = 1ull << 8;
constexpr uint64_t kNetHostTso4 = 1ull << 11;
constexpr uint64_t kNetHostTso6 = 1ull << 12;
constexpr uint64_t kNetMrgRxbuf = 1ull << 15;
constexpr uint64_t kNetStatus = 1ull << 16;
constexpr uint64_t kNetCtrlVq = 1ull << 17;
constexpr uint64_t kNetMq = 1ull << 22;

constexpr uint8_t kNetNeedsCsum = 1; // VIRTIO_NET_HDR_F_NEEDS_CSUM

enum NetGso : uint8_t { kNetGsoNone = 0, kNetGsoTcpV4 = 1, kNetGsoTcpV6 = 4 }; // VIRTIO_NET_HDR_GSO_*

struct NetHeader { // struct virtio_net_hdr, with VERSION_1
    uint8_t flags;
    uint8_t gso_type;
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
    uint16_t num_buffers;
};
static_assert(sizeof(NetHeader) == 12);

constexpr uint32_t kEthernetHeader = 14;
constexpr uint32_t kMaxFrame = 65550; // 5.1.6.3.1: the largest packet and its Ethernet header
constexpr uint32_t kMinMtu = 68;      // 5.1.4.1

// The feature bits that a header's contents depend on (5.1.3), without those whose own conditions are not met: segmentation
// is nothing without checksums.
uint64_t usable_offloads(uint64_t features);

// What may be handed on of the driver's `header` for a packet of `size` bytes: only fields and flags that mean something in
// this direction. Nothing when it asks for what was not negotiated or points outside the packet (5.1.6.2.2).
std::optional<NetHeader> check_transmit_header(const NetHeader& header, uint32_t size, uint64_t features);

// What may be shown to the driver of the host's `header`; nothing when it needs a driver that can do more than was agreed.
std::optional<NetHeader> check_receive_header(const NetHeader& header, uint64_t features);

} // namespace hrun::virtio
