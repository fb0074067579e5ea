// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/config_space.h"

#include <algorithm>
#include <cstring>

namespace hrun::virtio {

void read_config_space(std::span<const std::byte> config, uint32_t offset, std::span<std::byte> out) {
    std::fill(out.begin(), out.end(), std::byte{0});
    if (offset < config.size())
        memcpy(out.data(), config.data() + offset, std::min<size_t>(out.size(), config.size() - offset));
}

bool write_config_field(std::span<std::byte> field, uint32_t field_offset, uint32_t offset,
                        std::span<const std::byte> data) {
    const uint64_t begin = std::max<uint64_t>(offset, field_offset);
    const uint64_t end = std::min<uint64_t>(uint64_t{offset} + data.size(), field_offset + field.size());
    if (begin >= end)
        return false;
    memcpy(field.data() + (begin - field_offset), data.data() + (begin - offset), end - begin);
    return true;
}

} // namespace hrun::virtio
