// SPDX-License-Identifier: Apache-2.0
// Reserved feature bits and device numbers (virtio 1.2, chapters 5 and 6).
#pragma once

#include <cstdint>

namespace hrun::virtio {

constexpr uint64_t kFeatureIndirectDesc = 1ull << 28; // VIRTIO_F_INDIRECT_DESC
constexpr uint64_t kFeatureEventIdx = 1ull << 29;     // VIRTIO_F_EVENT_IDX
constexpr uint64_t kFeatureVersion1 = 1ull << 32;     // VIRTIO_F_VERSION_1

enum DeviceId : uint32_t {
    kNet = 1,
    kBlock = 2,
    kConsole = 3,
    kEntropy = 4,
    kBalloon = 5,
    kVsock = 19,
    kFileSystem = 26,
};

} // namespace hrun::virtio
