// SPDX-License-Identifier: Apache-2.0
#include "transport/empty_slot.h"

#include <linux/virtio_mmio.h>

#include <algorithm>
#include <cstring>

#include "transport/mmio.h"

namespace hrun::transport {

void EmptySlot::read(uint64_t offset, std::span<std::byte> data) {
    std::fill(data.begin(), data.end(), std::byte{0});
    const uint32_t value = offset == VIRTIO_MMIO_MAGIC_VALUE ? kMagic
                           : offset == VIRTIO_MMIO_VERSION   ? kVersion
                                                             : 0;
    if (data.size() == sizeof value)
        memcpy(data.data(), &value, sizeof value);
}

} // namespace hrun::transport
