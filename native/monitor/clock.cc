// SPDX-License-Identifier: Apache-2.0
#include "monitor/clock.h"

#include <time.h>

#include <cstdio>

namespace hrun::monitor {

std::string timestamp_now() {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return timestamp(now.tv_sec, static_cast<uint32_t>(now.tv_nsec));
}

std::string timestamp(int64_t seconds, uint32_t nanoseconds) {
    const time_t time = seconds;
    tm parts{};
    gmtime_r(&time, &parts);
    char text[64];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09u", parts.tm_year + 1900, parts.tm_mon + 1,
             parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, nanoseconds);
    std::string result(text);
    result.erase(result.find_last_not_of('0') + 1);
    if (result.back() == '.')
        result.pop_back();
    return result + "Z";
}

uint64_t monotonic_ns() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

} // namespace hrun::monitor
