// SPDX-License-Identifier: Apache-2.0
#include "devices/platform/i8042.h"

#include <algorithm>

namespace hrun::platform {

namespace {
constexpr uint64_t kCommand = 4;
constexpr std::byte kPulseReset{0xfe};
} // namespace

// Status zero: no keyboard data, and the input buffer is empty, so that the driver's wait for it ends at once.
void I8042::read(uint64_t, std::span<std::byte> data) {
    std::fill(data.begin(), data.end(), std::byte{0});
}

void I8042::write(uint64_t offset, std::span<const std::byte> data) {
    if (offset == kCommand && data[0] == kPulseReset)
        reset_();
}

} // namespace hrun::platform
