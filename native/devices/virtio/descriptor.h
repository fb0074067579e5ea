// SPDX-License-Identifier: Apache-2.0
// The split virtqueue's parts as they lie in guest memory (virtio 1.2, 2.7.5 to 2.7.8), little-endian.
#pragma once

#include <cstdint>

namespace hrun::virtio {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "guest and host are x86-64");

enum DescriptorFlags : uint16_t { // VIRTQ_DESC_F_*
    kDescNext = 1,
    kDescWrite = 2,
    kDescIndirect = 4,
};
constexpr uint16_t kAvailNoInterrupt = 1; // VIRTQ_AVAIL_F_NO_INTERRUPT
constexpr uint16_t kUsedNoNotify = 1;     // VIRTQ_USED_F_NO_NOTIFY

struct Descriptor {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};
static_assert(sizeof(Descriptor) == 16);

struct AvailRing {
    uint16_t flags;
    uint16_t idx;
    uint16_t ring[]; // queue size entries, then used_event
};

struct UsedElement {
    uint32_t id;
    uint32_t len;
};

struct UsedRing {
    uint16_t flags;
    uint16_t idx;
    UsedElement ring[]; // queue size entries, then avail_event
};

constexpr uint64_t descriptor_table_bytes(uint16_t size) {
    return uint64_t{16} * size;
}
constexpr uint64_t avail_ring_bytes(uint16_t size) {
    return uint64_t{6} + uint64_t{2} * size;
}
constexpr uint64_t used_ring_bytes(uint16_t size) {
    return uint64_t{6} + uint64_t{8} * size;
}

} // namespace hrun::virtio
