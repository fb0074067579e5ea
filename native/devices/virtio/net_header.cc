// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/net_header.h"

namespace hrun::virtio {

namespace {

constexpr uint64_t kHostSegmentation = kNetHostTso4 | kNetHostTso6;
constexpr uint64_t kGuestSegmentation = kNetGuestTso4 | kNetGuestTso6;
constexpr uint32_t kChecksumBytes = 2;

bool checksum_fits(const NetHeader& header, uint32_t size) {
    return uint32_t{header.csum_start} + header.csum_offset + kChecksumBytes <= size;
}

// Only TCP is segmented, and it always needs its checksums made (5.1.6.2.1).
bool segmentation_allowed(const NetHeader& header, uint32_t size, uint64_t features) {
    const bool agreed = (header.gso_type == kNetGsoTcpV4 && (features & kNetHostTso4)) ||
                        (header.gso_type == kNetGsoTcpV6 && (features & kNetHostTso6));
    return agreed && (header.flags & kNetNeedsCsum) && header.gso_size > 0 && header.hdr_len <= size;
}

} // namespace

uint64_t usable_offloads(uint64_t features) {
    if (!(features & kNetCsum))
        features &= ~kHostSegmentation;
    if (!(features & kNetGuestCsum))
        features &= ~kGuestSegmentation;
    return features & (kNetCsum | kNetGuestCsum | kHostSegmentation | kGuestSegmentation | kNetMrgRxbuf);
}

std::optional<NetHeader> check_transmit_header(const NetHeader& header, uint32_t size, uint64_t features) {
    NetHeader checked{};
    if (header.flags & kNetNeedsCsum) {
        if (!(features & kNetCsum) || !checksum_fits(header, size))
            return std::nullopt;
        checked.flags = kNetNeedsCsum;
        checked.csum_start = header.csum_start;
        checked.csum_offset = header.csum_offset;
    }
    if (header.gso_type != kNetGsoNone) {
        if (!segmentation_allowed(header, size, features))
            return std::nullopt;
        checked.gso_type = header.gso_type;
        checked.gso_size = header.gso_size;
        checked.hdr_len = header.hdr_len;
    }
    return checked;
}

// Packets may have waited at the host since there was another driver.
std::optional<NetHeader> check_receive_header(const NetHeader& header, uint64_t features) {
    NetHeader checked = header;
    if (!(features & kNetGuestCsum)) {
        if (header.flags & kNetNeedsCsum)
            return std::nullopt;
        checked.flags = 0; // 5.1.6.4.1: DATA_VALID neither
    }
    switch (header.gso_type) {
    case kNetGsoNone:
        return checked;
    case kNetGsoTcpV4:
        return features & kNetGuestTso4 ? std::optional(checked) : std::nullopt;
    case kNetGsoTcpV6:
        return features & kNetGuestTso6 ? std::optional(checked) : std::nullopt;
    default:
        return std::nullopt;
    }
}

} // namespace hrun::virtio
