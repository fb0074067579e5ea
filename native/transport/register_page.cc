// SPDX-License-Identifier: Apache-2.0
#include "transport/register_page.h"

#include <algorithm>
#include <cstring>

namespace hrun::transport {

RegisterPage::RegisterPage() {
    for (const uint64_t offset : {VIRTIO_MMIO_SHM_LEN_LOW, VIRTIO_MMIO_SHM_LEN_HIGH, VIRTIO_MMIO_SHM_BASE_LOW,
                                  VIRTIO_MMIO_SHM_BASE_HIGH})
        set(offset, UINT32_MAX); // no shared memory: a length of all ones (4.2.2)
}

void RegisterPage::set_config(const std::array<std::byte, kConfigSize>& bytes) {
    for (size_t at = 0; at < bytes.size(); at += sizeof(uint32_t)) {
        uint32_t value;
        memcpy(&value, bytes.data() + at, sizeof value);
        set(VIRTIO_MMIO_CONFIG + at, value);
    }
}

void RegisterPage::read(uint64_t offset, std::span<std::byte> data) const {
    std::fill(data.begin(), data.end(), std::byte{0});
    for (size_t i = 0; i < data.size() && offset + i - kStart < kSize; ++i) {
        const uint64_t at = offset + i;
        data[i] = static_cast<std::byte>(get(at) >> at % sizeof(uint32_t) * 8);
    }
}

} // namespace hrun::transport
