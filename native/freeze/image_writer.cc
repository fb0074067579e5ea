// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <unistd.h>

#include "freeze/tables.h"

namespace hrun::freeze {

namespace {

bool write_all(int target, const void* from, size_t size, off_t at) {
    for (size_t done = 0; done < size;) {
        const ssize_t written =
            pwrite(target, static_cast<const char*>(from) + done, size - done, at + static_cast<off_t>(done));
        if (written <= 0)
            return fail_last("write the image");
        done += static_cast<size_t>(written);
    }
    return true;
}

uint64_t whole_pages(uint64_t bytes) {
    return (bytes + kPage - 1) / kPage * kPage;
}

} // namespace

bool write_image(int target) {
    Header& header = tables.header;
    memcpy(header.magic, kMagic, sizeof kMagic);
    struct Part {
        const void* from;
        size_t size;
    };
    const Part parts[] = {{&header, sizeof header},
                          {tables.regions, header.regions * sizeof(Region)},
                          {tables.threads, header.threads * sizeof(Thread)},
                          {tables.files, header.files * sizeof(OpenFile)},
                          {tables.text, header.text_bytes}};
    uint64_t at = 0;
    for (const Part& part : parts)
        at += part.size;
    uint64_t content = whole_pages(at);
    for (unsigned i = 0; i < header.regions; ++i) {
        Region& region = tables.regions[i];
        if (region.kind != RegionKind::kImage)
            continue;
        region.offset = content;
        const size_t size = region.end - region.begin;
        if (!write_all(target, reinterpret_cast<const void*>(region.begin), size,
                       static_cast<off_t>(content)))
            return false;
        content += size;
    }
    off_t head = 0;
    for (const Part& part : parts) {
        if (!write_all(target, part.from, part.size, head))
            return false;
        head += static_cast<off_t>(part.size);
    }
    return true;
}

} // namespace hrun::freeze
