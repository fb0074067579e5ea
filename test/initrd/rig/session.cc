// SPDX-License-Identifier: Apache-2.0
#include "rig/session.h"

#include <algorithm>
#include <cstring>

namespace hrun::test {
namespace {

uint32_t u32_of(const Frame& frame) {
    uint32_t value = 0;
    memcpy(&value, frame.payload.data(), sizeof(value));
    return value;
}

// What may still be sent of an input, by the agent's credit.
struct Feed {
    std::string_view left;
    uint32_t credit = HRUN_INITIAL_CREDIT;
    bool active;

    void pump(Wire& wire) {
        while (active && credit > 0 && !left.empty()) {
            size_t length = std::min<size_t>({left.size(), credit, HRUN_MAX_DATA});
            wire.send(HRUN_DATA, left.substr(0, length), HRUN_STDIN);
            left.remove_prefix(length);
            credit -= static_cast<uint32_t>(length);
        }
        if (active && left.empty()) {
            wire.send(HRUN_DATA, {}, HRUN_STDIN);
            active = false;
        }
    }
};

} // namespace

Tlvs start_tlvs(const Command& command) {
    Tlvs tlvs = command.more;
    for (const auto& argument : command.arguments)
        tlvs.add(HRUN_START_ARG, argument);
    for (const auto& variable : command.environment)
        tlvs.add(HRUN_START_ENV, variable);
    if (!command.user.empty())
        tlvs.add(HRUN_START_USER, command.user);
    if (!command.cwd.empty())
        tlvs.add(HRUN_START_CWD, command.cwd);
    tlvs.add_u32(HRUN_START_FLAGS, command.flags);
    tlvs.add_u64(HRUN_START_CAPS, command.capabilities);
    return tlvs;
}

Outcome run_session(Wire& wire, const Command& command) {
    wire.send(HRUN_START, start_tlvs(command).payload());
    return finish_session(wire, command.input, command.flags & HRUN_START_STDIN);
}

Outcome finish_session(Wire& wire, std::string_view input, bool feed_input) {
    Outcome outcome;
    Feed feed{input, HRUN_INITIAL_CREDIT, feed_input};
    feed.pump(wire);
    while (auto frame = wire.receive()) {
        switch (frame->type) {
        case HRUN_STARTED:
            outcome.pid = u32_of(*frame);
            break;
        case HRUN_DATA:
            (frame->stream == HRUN_STDOUT ? outcome.output : outcome.error) += frame->payload;
            if (!frame->payload.empty())
                wire.send(HRUN_CREDIT, bytes_of(static_cast<uint32_t>(frame->payload.size())), frame->stream);
            break;
        case HRUN_CREDIT:
            feed.credit += u32_of(*frame);
            feed.pump(wire);
            break;
        case HRUN_EXIT:
            memcpy(&outcome.exit, frame->payload.data(), sizeof(outcome.exit));
            return outcome;
        case HRUN_ERROR:
            outcome.failure = error_text(*frame);
            outcome.failure_head = error_head(*frame);
            return outcome;
        default:
            break;
        }
    }
    outcome.failure = "the connection ended without EXIT";
    return outcome;
}

} // namespace hrun::test
