// SPDX-License-Identifier: Apache-2.0
// Device configuration space (virtio 1.2, 2.5) as a structure in host memory. Offsets and lengths are the driver's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hrun::virtio {

// The bytes of `config` from `offset`; zeroes past its end.
void read_config_space(std::span<const std::byte> config, uint32_t offset, std::span<std::byte> out);

// Writes the part of [offset, offset + data.size()) that lies in `field`, which begins at `field_offset`; true when that is
// any of it.
bool write_config_field(std::span<std::byte> field, uint32_t field_offset, uint32_t offset,
                        std::span<const std::byte> data);

} // namespace hrun::virtio
