// SPDX-License-Identifier: Apache-2.0
#include "monitor/start_payload.h"

#include <cstdint>
#include <functional>

#include "protocol.h"

namespace hrun::monitor {

namespace {

using Visitor = std::function<void(uint16_t tag, std::string_view value)>;

// False when the payload is broken.
bool each_tlv(std::string_view payload, const Visitor& visit) {
    while (payload.size() >= sizeof(hrun_tlv)) {
        hrun_tlv tlv;
        payload.copy(reinterpret_cast<char*>(&tlv), sizeof tlv);
        payload.remove_prefix(sizeof tlv);
        if (tlv.length > payload.size())
            return false;
        visit(tlv.tag, payload.substr(0, tlv.length));
        payload.remove_prefix(tlv.length);
    }
    return true;
}

} // namespace

bool start_wants_input(std::string_view payload) {
    uint32_t flags = 0;
    const bool whole = each_tlv(payload, [&flags](uint16_t tag, std::string_view value) {
        if (tag == HRUN_START_FLAGS && value.size() == sizeof flags)
            value.copy(reinterpret_cast<char*>(&flags), sizeof flags);
    });
    return whole && (flags & HRUN_START_STDIN);
}

std::string start_command(std::string_view payload) {
    std::string command;
    each_tlv(payload, [&command](uint16_t tag, std::string_view value) {
        if (tag == HRUN_START_ARG)
            command.append(command.empty() ? "" : " ").append(value);
    });
    return command;
}

} // namespace hrun::monitor
