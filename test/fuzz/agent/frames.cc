// SPDX-License-Identifier: Apache-2.0
// What the agent makes of bytes from a hostile host: frames as they arrive in pieces, then CONFIGURE and START.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" {
#include "configure.h"
#include "frames.h"
#include "mount_options.h"
#include "network_request.h"
#include "start_request.h"
#include "sysctl.h"
}

namespace {

void parse_configure(const frame& frame) {
    configure configure{};
    err err{};
    if (configure_parse(frame.payload, frame.length, &configure, &err) == 0) {
        for (size_t i = 0; i < configure.mount_count; i++) {
            const char* cursor = configure.mounts[i].options;
            mount_option option;
            while (mount_option_next(&cursor, &option)) {
            }
        }
        char path[256];
        for (size_t i = 0; i < configure.sysctl_count; i++)
            if (sysctl_path(configure.sysctls[i].key, path, sizeof(path)) &&
                (path[0] == '/' || strstr(path, "..")))
                abort();
    }
    configure_free(&configure);
}

void parse_network(const frame& frame) {
    network_request request{};
    err err{};
    if (network_request_parse(frame.payload, frame.length, &request, &err) == 0 &&
        (request.nics.count > NIC_MAX || request.gone_count > NIC_MAX))
        abort();
    network_request_free(&request);
}

void parse_start(const frame& frame) {
    start_request request{};
    err err{};
    bool parsed = start_request_parse(frame.payload, frame.length, &request, &err) == 0;
    const string_list& arguments = request.arguments;
    bool command = request.archive == 0 && !(request.flags & HRUN_START_PROCESSES);
    if (parsed && (arguments.count == 0 ? command : arguments.items[arguments.count] != nullptr))
        abort();
    start_request_free(&request);
}

} // namespace

// The first byte is how many bytes arrive at a time; the rest is the connection.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0)
        return 0;
    size_t step = data[0] + 1u;
    frame_reader reader{};
    err err{};
    int result = 0;
    for (size_t at = 1; at < size && result >= 0;) {
        uint8_t* to = nullptr;
        ssize_t space = frame_reader_space(&reader, &to, &err);
        if (space <= 0)
            abort();
        size_t count = size - at < step ? size - at : step;
        count = count < static_cast<size_t>(space) ? count : static_cast<size_t>(space);
        memcpy(to, data + at, count);
        frame_reader_filled(&reader, count);
        at += count;
        frame frame;
        while ((result = frame_reader_next(&reader, &frame, &err)) > 0) {
            if (frame.type == HRUN_CONFIGURE)
                parse_configure(frame);
            if (frame.type == HRUN_START)
                parse_start(frame);
            if (frame.type == HRUN_NETWORK)
                parse_network(frame);
        }
    }
    frame_reader_free(&reader);
    return 0;
}
