// SPDX-License-Identifier: Apache-2.0
// The packets of virtio-vsock (virtio 1.2, 5.10.6), little-endian.
#pragma once

#include <cstdint>

namespace hrun::virtio {

constexpr uint64_t kVsockHostCid = 2;

enum VsockType : uint16_t { kVsockStream = 1 };

enum VsockOp : uint16_t {
    kVsockOpRequest = 1,
    kVsockOpResponse = 2,
    kVsockOpRst = 3,
    kVsockOpShutdown = 4,
    kVsockOpRw = 5,
    kVsockOpCreditUpdate = 6,
    kVsockOpCreditRequest = 7,
};

enum VsockShutdown : uint32_t { // flags of kVsockOpShutdown: what the sender of it will do no more
    kVsockShutdownReceive = 1,
    kVsockShutdownSend = 2,
    kVsockShutdownBoth = 3,
};

struct [[gnu::packed]] VsockHeader {
    uint64_t src_cid;
    uint64_t dst_cid;
    uint32_t src_port;
    uint32_t dst_port;
    uint32_t len;
    uint16_t type;
    uint16_t op;
    uint32_t flags;
    uint32_t buf_alloc;
    uint32_t fwd_cnt;
};
static_assert(sizeof(VsockHeader) == 44);

} // namespace hrun::virtio
