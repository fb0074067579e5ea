// SPDX-License-Identifier: Apache-2.0
// Memory statistics as a balloon driver reports them (virtio 1.2, 5.5.6.3). The guest says them, nobody checks them.
#pragma once

#include <cstdint>
#include <optional>

#include "devices/virtio/queue.h"

namespace hrun::virtio {

struct BalloonStats {
    // In bytes, but for the counts.
    std::optional<uint64_t> swapped_in;
    std::optional<uint64_t> swapped_out;
    std::optional<uint64_t> major_faults; // count
    std::optional<uint64_t> minor_faults; // count
    std::optional<uint64_t> free_memory;
    std::optional<uint64_t> total_memory;
    std::optional<uint64_t> available_memory;
    std::optional<uint64_t> disk_caches;
};

// Reads what a buffer of the statistics queue says, as far as it makes sense: unknown tags are left out, of a tag that is
// said twice the last counts.
BalloonStats read_balloon_stats(const DescriptorChain& chain);

} // namespace hrun::virtio
