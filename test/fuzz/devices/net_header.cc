// SPDX-License-Identifier: Apache-2.0
// What a tap interface would be handed of a driver's header: nothing that points outside the packet or was not agreed on.
#include "devices/virtio/net_header.h"

#include <cstdlib>
#include <cstring>

#include "script.h"

using namespace hrun;
using namespace hrun::virtio;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Script script(data, size);
    const auto header = script.take<NetHeader>();
    const uint64_t features = usable_offloads(script.take<uint32_t>());
    const uint32_t packet = script.take<uint32_t>() % (kMaxFrame + 1);
    const auto checked = check_transmit_header(header, packet, features);
    if (!checked)
        return 0;
    const bool sums = checked->flags & kNetNeedsCsum;
    if ((checked->flags & ~kNetNeedsCsum) || (sums && !(features & kNetCsum)) ||
        (sums && uint32_t{checked->csum_start} + checked->csum_offset + 2 > packet) || checked->num_buffers)
        abort();
    if (checked->gso_type && (!sums || !checked->gso_size || checked->hdr_len > packet))
        abort();
    return 0;
}
