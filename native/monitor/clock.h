// SPDX-License-Identifier: Apache-2.0
// Time stamps as Docker writes them.
#pragma once

#include <cstdint>
#include <string>

namespace hrun::monitor {

// The present in UTC, RFC 3339 with as many digits of the second as are not zero (Go's RFC3339Nano):
// "2024-05-01T12:00:00.123456789Z".
std::string timestamp_now();
// Of a given time: seconds and nanoseconds since the epoch.
std::string timestamp(int64_t seconds, uint32_t nanoseconds);

// CLOCK_MONOTONIC.
uint64_t monotonic_ns();

} // namespace hrun::monitor
