// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/balloon_stats.h"

#include <linux/virtio_balloon.h>

namespace hrun::virtio {

namespace {

constexpr size_t kMaxStats = 32; // twice what the specification knows

void set(BalloonStats& stats, const virtio_balloon_stat& stat) {
    const uint64_t value = stat.val; // which is packed: no reference may be taken of it
    switch (stat.tag) {
    case VIRTIO_BALLOON_S_SWAP_IN:
        stats.swapped_in = value;
        break;
    case VIRTIO_BALLOON_S_SWAP_OUT:
        stats.swapped_out = value;
        break;
    case VIRTIO_BALLOON_S_MAJFLT:
        stats.major_faults = value;
        break;
    case VIRTIO_BALLOON_S_MINFLT:
        stats.minor_faults = value;
        break;
    case VIRTIO_BALLOON_S_MEMFREE:
        stats.free_memory = value;
        break;
    case VIRTIO_BALLOON_S_MEMTOT:
        stats.total_memory = value;
        break;
    case VIRTIO_BALLOON_S_AVAIL:
        stats.available_memory = value;
        break;
    case VIRTIO_BALLOON_S_CACHES:
        stats.disk_caches = value;
        break;
    }
}

} // namespace

BalloonStats read_balloon_stats(const DescriptorChain& chain) {
    virtio_balloon_stat all[kMaxStats];
    const size_t count = copy_from(chain.readable, all, sizeof all) / sizeof all[0];
    BalloonStats stats;
    for (size_t i = 0; i < count; ++i)
        set(stats, all[i]);
    return stats;
}

} // namespace hrun::virtio
