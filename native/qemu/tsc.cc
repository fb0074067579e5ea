// SPDX-License-Identifier: Apache-2.0
#include "qemu/tsc.h"

#include <time.h>
#include <x86intrin.h>

namespace hrun::qemu {

namespace {

constexpr uint64_t kLeastNanoseconds = 2000000;
constexpr int kTries = 8;

} // namespace

// The clock read with the fewest ticks around it is the one that nothing interrupted.
TscMeter::Sample TscMeter::sample() {
    Sample best{};
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < kTries; ++i) {
        timespec time;
        const uint64_t before = __rdtsc();
        clock_gettime(CLOCK_MONOTONIC, &time);
        const uint64_t after = __rdtsc();
        if (after - before < least) {
            least = after - before;
            best = {before + least / 2,
                    static_cast<uint64_t>(time.tv_sec) * 1000000000 + static_cast<uint64_t>(time.tv_nsec)};
        }
    }
    return best;
}

uint64_t TscMeter::khz() const {
    Sample end = sample();
    while (end.nanoseconds - begin_.nanoseconds < kLeastNanoseconds)
        end = sample();
    return (end.ticks - begin_.ticks) * 1000000 / (end.nanoseconds - begin_.nanoseconds);
}

} // namespace hrun::qemu
