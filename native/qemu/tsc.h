// SPDX-License-Identifier: Apache-2.0
// The host's time stamp counter, which QEMU's TCG shows its guests unscaled.
#pragma once

#include <cstdint>

namespace hrun::qemu {

// Measures the counter's frequency between construction and khz().
class TscMeter {
  public:
    TscMeter() : begin_(sample()) {}
    // In kHz. Waits until 2 ms have passed since construction: the error is then below 50 ppm.
    uint64_t khz() const;

  private:
    struct Sample {
        uint64_t ticks;
        uint64_t nanoseconds;
    };
    static Sample sample();

    Sample begin_;
};

} // namespace hrun::qemu
