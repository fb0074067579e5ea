// SPDX-License-Identifier: Apache-2.0
#include "monitor/start_payload.h"

#include <cstdint>

#include "protocol.h"

namespace hrun::monitor {

bool start_wants_input(std::string_view payload) {
    uint32_t flags = 0;
    while (payload.size() >= sizeof(hrun_tlv)) {
        hrun_tlv tlv;
        payload.copy(reinterpret_cast<char*>(&tlv), sizeof tlv);
        payload.remove_prefix(sizeof tlv);
        if (tlv.length > payload.size())
            return false;
        if (tlv.tag == HRUN_START_FLAGS && tlv.length == sizeof flags)
            payload.copy(reinterpret_cast<char*>(&flags), sizeof flags);
        payload.remove_prefix(tlv.length);
    }
    return flags & HRUN_START_STDIN;
}

} // namespace hrun::monitor
