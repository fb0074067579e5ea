// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "devices/virtio/queue.h"

namespace hrun::virtio {

size_t copy_from(const std::vector<iovec>& from, void* to, size_t size) {
    auto* out = static_cast<std::byte*>(to);
    size_t done = 0;
    for (const iovec& part : from) {
        const size_t count = std::min(part.iov_len, size - done);
        // SAFETY: the segments of a chain lie inside guest memory, checked by Virtqueue::pop.
        memcpy(out + done, part.iov_base, count);
        done += count;
        if (done == size)
            break;
    }
    return done;
}

size_t copy_to(const std::vector<iovec>& to, const void* from, size_t size) {
    const auto* in = static_cast<const std::byte*>(from);
    size_t done = 0;
    for (const iovec& part : to) {
        const size_t count = std::min(part.iov_len, size - done);
        // SAFETY: as in copy_from.
        memcpy(part.iov_base, in + done, count);
        done += count;
        if (done == size)
            break;
    }
    return done;
}

void slice(const std::vector<iovec>& from, size_t skip, size_t limit, std::vector<iovec>& out) {
    for (const iovec& part : from) {
        if (limit == 0)
            return;
        if (skip >= part.iov_len) {
            skip -= part.iov_len;
            continue;
        }
        const size_t count = std::min(part.iov_len - skip, limit);
        out.push_back({static_cast<std::byte*>(part.iov_base) + skip, count});
        skip = 0;
        limit -= count;
    }
}

} // namespace hrun::virtio
