// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tar: either an error or an image whose superblock is in place.
#include <unistd.h>

#include <cstdlib>

#include "erofs/image_builder.h"
#include "image_target.h"
#include "memory_source.h"

using namespace hrun::erofs;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0)
        return 0;
    static const Limits limits = small_limits();
    MemorySource tar({data + 1, size - 1}, data[0] * 16);
    ImageBuilder builder(image_fd(), limits, data[0] & 1);
    std::string path;
    if (!builder.apply(tar, path))
        return 0;
    auto bytes = builder.finish(Sha256{});
    if (!bytes)
        return 0;
    Superblock super;
    if (::pread(image_fd(), &super, sizeof super, kSuperblockOffset) != sizeof super ||
        super.magic != kSuperblockMagic || static_cast<uint64_t>(super.blocks) * kBlockBytes != *bytes)
        abort();
    return 0;
}
